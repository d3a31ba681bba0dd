/* tests/support/near.h - comparing floating-point numbers, with both values in the message. */
#ifndef ARCHAI_TESTS_NEAR_H
#define ARCHAI_TESTS_NEAR_H
#include <math.h>
/* cmocka.h and what it needs come first, as in every test. */

/* |got - want| <= tolerance; NaN is near to nothing. */
#define assert_near(got, want, tolerance)                                                          \
    do {                                                                                           \
        double near_got_ = (got), near_want_ = (want), near_tol_ = (tolerance);                    \
        if (!(fabs(near_got_ - near_want_) <= near_tol_))                                          \
            fail_msg("%s is %.17g, expected %.17g within %g", #got, near_got_, near_want_,         \
                     near_tol_);                                                                   \
    } while (0)

/* The same for arrays of n floats; names the first element that is too far off. */
#define assert_near_floats(got, want, n, tolerance)                                                \
    do {                                                                                           \
        const float *near_g_ = (got), *near_w_ = (want);                                           \
        for (size_t near_i_ = 0; near_i_ < (size_t)(n); near_i_++)                                 \
            if (!(fabs((double)near_g_[near_i_] - near_w_[near_i_]) <= (tolerance)))               \
                fail_msg("%s[%zu] is %.9g, expected %.9g within %g", #got, near_i_,                \
                         near_g_[near_i_], near_w_[near_i_], (double)(tolerance));                 \
    } while (0)
#endif
