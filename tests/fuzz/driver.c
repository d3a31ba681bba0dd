/* tests/fuzz/driver.c - runs a fuzz target without libFuzzer: fuzz_<name> CORPUS [MUTATIONS]
 *
 * First every file of the corpus as it is, then MUTATIONS inputs made from them. They follow from
 * the names and contents of the files alone, so that a failure comes back every time. When the
 * target dies, its input is left in the working directory as crash-<target>.
 */
#include "fuzz.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_MAX = 64 * 1024, FILES_MAX = 4096 };

typedef struct input {
    uint8_t *data;
    size_t size;
} input;

static struct {
    const uint8_t *data;
    size_t size;
    char file[256];
} current; /* for the handler, which can be passed nothing */

static void keep_input(void)
{
    int fd = open(current.file, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd >= 0 && write(fd, current.data, current.size) == (ssize_t)current.size)
        dprintf(STDERR_FILENO, "the input is in %s (%zu bytes)\n", current.file, current.size);
}

static void on_signal(int number)
{
    keep_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* Present under the sanitizers only; they end the process without a signal. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void run(const uint8_t *data, size_t size)
{
    /* A copy of exactly that size, so that AddressSanitizer sees the first byte too many. */
    uint8_t *copy = malloc(size > 0 ? size : 1);

    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    current.data = copy;
    current.size = size;
    FUZZ_CHECK(LLVMFuzzerTestOneInput(copy, size) == 0);
    free(copy);
}

/* xorshift64* (Vigna 2016): mutations need no more. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t n)
{
    return n > 0 ? (size_t)(next(state) >> 11) % n : 0;
}

static size_t insert(uint8_t *at, size_t size, size_t where, const uint8_t *from, size_t n)
{
    if (n > INPUT_MAX - size)
        n = INPUT_MAX - size;
    memmove(at + where + n, at + where, size - where);
    memcpy(at + where, from, n);
    return size + n;
}

/* One change in place; returns the new size. */
static size_t mutate(uint8_t *at, size_t size, const input *other, uint64_t *state)
{
    static const uint64_t edges[] = {0,          1,          0x7f,       0x80,       0xff,
                                     0x7fff,     0xffff,     0x7fffffff, 0x80000000, 0xffffffff,
                                     INT64_MAX,  1ull << 63, UINT64_MAX, 1ull << 32, 0x20,
                                     0x0a};
    uint8_t piece[256];
    size_t where = below(state, size), n = 1 + below(state, 16);

    switch (below(state, 8)) {
    case 0:
        if (size > 0)
            at[where] ^= (uint8_t)(1u << below(state, 8));
        return size;
    case 1:
        if (size > 0)
            at[where] = (uint8_t)next(state);
        return size;
    case 2: /* an integer at the edge of its type, little- or big-endian */
    {
        uint64_t v = edges[below(state, sizeof edges / sizeof *edges)];
        size_t width = (size_t)1 << below(state, 4);
        int swap = (int)below(state, 2);

        for (size_t i = 0; i < width && where + i < size; i++)
            at[where + i] = (uint8_t)(v >> 8 * (swap ? width - 1 - i : i));
        return size;
    }
    case 3: /* cut a piece out */
        n = n < size - where ? n : size - where;
        memmove(at + where, at + where + n, size - where - n);
        return size - n;
    case 4: /* cut the end off */
        return where;
    case 5: /* twice the same */
        n = n < size - where ? n : size - where;
        memcpy(piece, at + where, n);
        return insert(at, size, below(state, size + 1), piece, n);
    case 6: /* random bytes */
        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)next(state);
        return insert(at, size, where, piece, n);
    default: /* a piece of another file */
    {
        size_t from = below(state, other->size);
        size_t left = other->size - from;

        n = 1 + below(state, 255);
        return insert(at, size, where, other->data + from, n < left ? n : left);
    }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static input read_file(const char *directory, const char *name)
{
    char path[4096];
    input in = {.data = malloc(INPUT_MAX)};
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "rb");
    FUZZ_CHECK(f != NULL && in.data != NULL);
    in.size = fread(in.data, 1, INPUT_MAX, f);
    fclose(f);
    return in;
}

static size_t read_corpus(const char *directory, input *files)
{
    char *names[FILES_MAX];
    size_t n = 0;
    DIR *d = opendir(directory);

    FUZZ_CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL && n < FILES_MAX;)
        if (e->d_name[0] != '.')
            FUZZ_CHECK((names[n++] = strdup(e->d_name)) != NULL);
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        files[i] = read_file(directory, names[i]);
        free(names[i]);
    }
    return n;
}

int main(int argc, char **argv)
{
    static input files[FILES_MAX];
    static uint8_t work[INPUT_MAX];
    const char *slash = strrchr(argv[0], '/');
    long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    size_t n;

    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS [MUTATIONS]\n", argv[0]);
        return 2;
    }
    snprintf(current.file, sizeof current.file, "crash-%s", slash ? slash + 1 : argv[0]);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(keep_input);
    } else {
        signal(SIGSEGV, on_signal);
        signal(SIGBUS, on_signal);
        signal(SIGFPE, on_signal);
    }
    signal(SIGABRT, on_signal);

    n = read_corpus(argv[1], files);
    FUZZ_CHECK(n > 0);
    run(work, 0);
    for (size_t i = 0; i < n; i++)
        run(files[i].data, files[i].size);
    for (long k = 0; k < mutations; k++) {
        const input *from = &files[below(&state, n)];
        size_t size = from->size, changes = 1 + below(&state, 6);

        memcpy(work, from->data, size);
        while (changes-- > 0)
            size = mutate(work, size, &files[below(&state, n)], &state);
        run(work, size);
    }
    printf("%zu files and %ld mutations of them\n", n, mutations);
    for (size_t i = 0; i < n; i++)
        free(files[i].data);
    return 0;
}
