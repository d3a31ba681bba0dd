/* core/base/err.h - the one error type of archai-run.
 *
 * A function that can fail returns an archai_rc (0 is success) and takes `archai_err *err`
 * as its last argument; err may be NULL where only the code matters. The text is written
 * once, where the fault is detected; callers prepend only what the inner level could not
 * know (a path, a key, an id). archai_err owns nothing: it may be copied, stored in a row
 * or sent to another rank as bytes. Running out of memory is not an error value (alloc.h).
 *
 * archai_rc_exit_status() is the one place that maps codes to exit codes of the program.
 */
#ifndef ARCHAI_CORE_BASE_ERR_H
#define ARCHAI_CORE_BASE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define ARCHAI_RC_LIST(X) /* name, value, exit code of the program */               \
    X(ARCHAI_OK,        0,  0)                                                      \
    X(ARCHAI_ENOMEM,    1,  1)  /* out of host memory */                            \
    X(ARCHAI_EINVAL,    2,  2)  /* invalid argument, configuration or input file */ \
    X(ARCHAI_ENOTFOUND, 3,  2)  /* no such name, key, file or record */             \
    X(ARCHAI_EFORMAT,   4,  2)  /* malformed or foreign content */                  \
    X(ARCHAI_EEXIST,    5,  2)  /* already exists */                                \
    X(ARCHAI_EIO,       6,  74) /* file system or HDF5 failure */                   \
    X(ARCHAI_EMPI,      7,  1)  /* MPI call failed */                               \
    X(ARCHAI_ETORCH,    8,  1)  /* libtorch raised an exception */                  \
    X(ARCHAI_EDEVMEM,   9,  1)  /* out of device memory */                          \
    X(ARCHAI_ETIMEOUT,  10, 1)  /* time limit reached */                            \
    X(ARCHAI_ECHILD,    11, 1)  /* a child process failed */                        \
    X(ARCHAI_ENOTSUP,   12, 2)  /* not done here: a type, a kind, an operation */   \
    X(ARCHAI_ENONE,     13, 1)  /* there is none (no child, no valid sample) */     \
    X(ARCHAI_EINTR,     14, 75) /* interrupted; --resume continues */               \
    X(ARCHAI_EINTERNAL, 15, 1)  /* broken invariant in archai-run; please report */

typedef enum archai_rc {
#define X(name, value, exit_status) name = value,
    ARCHAI_RC_LIST(X)
#undef X
    ARCHAI_RC_COUNT
} archai_rc;
/* clang-format on */

enum { ARCHAI_ERR_TEXT_MAX = 1024 }; /* bytes, terminating NUL included */

typedef struct archai_err {
    int code;                       /* an archai_rc */
    int rank;                       /* rank of first detection; -1 where ranks play no part */
    int line;                       /* line of first detection */
    char file[32];                  /* base name of the detecting source file */
    char text[ARCHAI_ERR_TEXT_MAX]; /* outermost context first; one line per problem */
} archai_err;

#define ARCHAI_ERR_INIT                                                                            \
    {                                                                                              \
        .code = 0, .rank = -1                                                                      \
    }

/* First detection: record code, place and a message of one line (control characters are replaced).
 * Returns `code`. */
#define archai_fail(err, code, ...) archai_err_set_((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Prepend context ("path: ") to an existing error and return rc, so that a caller that
 * passed err == NULL keeps the code. The place of first detection stays. */
int archai_err_wrap(archai_err *err, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Several problems in one input: append `other` as a new line when `other_rc` is not 0. `rc` tells
 * whether err already holds one; returns the first code. What does not fit is left out. */
int archai_err_also(archai_err *err, int rc, int other_rc, const archai_err *other);

int archai_err_set_(archai_err *err, int code, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

int archai_rc_exit_status(int rc); /* 0, 2, 74, 75 or 1 */

/* Propagate at once / jump to the function's single clean-up label. */
#define ARCHAI_TRY(expr)                                                                           \
    do {                                                                                           \
        int archai_try_rc_ = (expr);                                                               \
        if (archai_try_rc_ != ARCHAI_OK)                                                           \
            return archai_try_rc_;                                                                 \
    } while (0)
#define ARCHAI_TRY_GOTO(rc, expr, label)                                                           \
    do {                                                                                           \
        (rc) = (expr);                                                                             \
        if ((rc) != ARCHAI_OK)                                                                     \
            goto label;                                                                            \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
