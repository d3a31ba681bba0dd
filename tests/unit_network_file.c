/* Networks in files: what each element of the grammar makes (core/network/file/README.md). Whole files are in
 * unit_network_file_whole.c, what is refused is in unit_network_file_mistakes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "network_file.h"

/* Steps of a network of 8 x 8 pixels in 3 channels with 10 classes. */
static void assert_steps(const char *text, const char *params, const char *steps)
{
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;
    char *got;

    if (network_text_read(&t, text, &err) != ARCHAI_OK)
        fail_msg("%s\n%s", text, err.text);
    if (network_text_build(&t, params, &small_images, &err) != ARCHAI_OK)
        fail_msg("%s\n%s", text, err.text);
    got = network_steps(&t.net);
    if (strcmp(got, steps) != 0)
        fail_msg("%s\nmakes\n%sinstead of\n%s", text, got, steps);
    free(got);
    network_text_fini(&t);
}

static void assert_printed(const char *text, const char *params, const char *printed)
{
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;
    char *got;

    if (network_text_read(&t, text, &err) != ARCHAI_OK ||
        network_text_build(&t, params, &small_images, &err) != ARCHAI_OK)
        fail_msg("%s\n%s", text, err.text);
    got = network_print(&t.net);
    assert_string_equal(got, printed);
    free(got);
    network_text_fini(&t);
}

static void items_in_a_row_are_numbered(void **state)
{
    (void)state;
    assert_steps(
        "network: [Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}, BatchNorm2d, ReLU, flatten, Linear: classes]",
        NULL, "1 = 0(0): [4, 8, 8]\n2 = 1(1): [4, 8, 8]\n3 = 2(2): [4, 8, 8]\n4 = flatten(3): [256]\n5 = 3(4): [10]\n");
    /* one item alone, and steps and classes with nothing behind the colon */
    assert_steps("network: {MaxPool2d: 2}", NULL, "1 = 0(0): [3, 4, 4]\n");
    assert_steps("network: [ReLU: , flatten: ]", NULL, "1 = 0(0): [3, 8, 8]\n2 = flatten(1): [192]\n");
}

static void names_of_children(void **state)
{
    (void)state;
    assert_printed("class: Net\n"
                   "network:\n"
                   "  features:\n"
                   "    conv: {Conv2d: {out_channels: 4, kernel_size: 1}}\n"
                   "    act: ReLU\n"
                   "  layer:\n"
                   "    - ReLU\n"
                   "    - [ReLU, ReLU]\n"
                   "  child: {name: add, do: ReLU}\n"
                   "  flatten: {AdaptiveAvgPool2d: 1}\n" /* no argument of the step: a child of that name */
                   "  empty: []\n"
                   "  step: flatten\n",
                   NULL,
                   "Net(\n"
                   "  (features): Sequential(\n"
                   "    (conv): Conv2d(3, 4, kernel_size=(1, 1), stride=(1, 1))\n"
                   "    (act): ReLU()\n"
                   "  )\n"
                   "  (layer): Sequential(\n"
                   "    (0): ReLU()\n"
                   "    (1): Sequential(\n"
                   "      (0): ReLU()\n"
                   "      (1): ReLU()\n"
                   "    )\n"
                   "  )\n"
                   "  (add): ReLU()\n"
                   "  (flatten): AdaptiveAvgPool2d(output_size=1)\n"
                   "  (empty): Sequential()\n"
                   "  (step): Sequential()\n"
                   ")");
}

/* Two containers are filled in turns. */
static void dots_in_names_lead_into_containers(void **state)
{
    (void)state;
    assert_printed("class: Net\n"
                   "network: {for: 2, as: i, do: {\"convs.{i}\": {Conv2d: {out_channels: 3, kernel_size: 1}}, "
                   "\"a.b.act{i}\": ReLU}}\n",
                   NULL,
                   "Net(\n"
                   "  (convs): Sequential(\n"
                   "    (0): Conv2d(3, 3, kernel_size=(1, 1), stride=(1, 1))\n"
                   "    (1): Conv2d(3, 3, kernel_size=(1, 1), stride=(1, 1))\n"
                   "  )\n"
                   "  (a): Sequential(\n"
                   "    (b): Sequential(\n"
                   "      (act0): ReLU()\n"
                   "      (act1): ReLU()\n"
                   "    )\n"
                   "  )\n"
                   ")");
    assert_steps("network: [{a.b: ReLU}, {call: a.b}, {a.c: {call: /a.b}}]", NULL,
                 "1 = a.b(0): [3, 8, 8]\n2 = a.b(1): [3, 8, 8]\n3 = a.b(2): [3, 8, 8]\n");
}

/* The next number is the one after the largest, as in a Sequential. */
static void expressions_in_names(void **state)
{
    (void)state;
    assert_steps(
        "network: [ReLU, {for: 2, do: {\"{index + 3}\": ReLU}}, ReLU, {for: 2, as: i, do: {\"a{i}_{last}\": ReLU}}]",
        NULL,
        "1 = 0(0): [3, 8, 8]\n2 = 3(1): [3, 8, 8]\n3 = 4(2): [3, 8, 8]\n4 = 5(3): [3, 8, 8]\n"
        "5 = a0_false(4): [3, 8, 8]\n6 = a1_true(5): [3, 8, 8]\n");
}

static void arguments_of_classes(void **state)
{
    (void)state;
    assert_printed("parameters: {width: {choice: [4, 8]}}\n"
                   "network:\n"
                   "  - Conv2d: {out_channels: width * 2, kernel_size: [1, 3], stride: \"[2, 1]\", bias: width > 4}\n"
                   "  - Conv2d: {out_channels: 12 / 2, kernel_size: 1, groups: \"2 if width == 8 else 1\"}\n"
                   "  - AdaptiveAvgPool2d: [2, \"width // 8\"]\n"
                   "  - flatten\n"
                   "  - Linear: {out_features: classes, bias: false}\n",
                   "{\"width\": 8}",
                   "Network(\n"
                   "  (0): Conv2d(3, 16, kernel_size=(1, 3), stride=(2, 1))\n"
                   "  (1): Conv2d(16, 6, kernel_size=(1, 1), stride=(1, 1), groups=2)\n"
                   "  (2): AdaptiveAvgPool2d(output_size=(2, 1))\n"
                   "  (3): Linear(in_features=12, out_features=10, bias=False)\n"
                   ")");
}

#define BLOCKS                                                                                                         \
    "blocks:\n"                                                                                                        \
    "  conv(out, kernel=3, act=ReLU, padding=kernel // 2):\n"                                                          \
    "    - Conv2d: {out_channels: out, kernel_size: kernel, padding: padding, bias: false}\n"                          \
    "    - act\n"                                                                                                      \
    "  twice(out): [inline: {conv: out}, conv: {out: in * 2}]\n"                                                       \
    "  none: []\n"

static void blocks_are_called(void **state)
{
    (void)state;
    assert_printed(BLOCKS "network:\n"
                          "  - conv: {out: 4, act: BatchNorm2d}\n"
                          "  - stem: {conv: [2, 1, null]}\n"
                          "  - twice: 5\n"
                          "  - inline: {conv: {out: 6, padding: 0}}\n"
                          "  - inline: none\n"
                          "  - none\n",
                   NULL,
                   "Network(\n"
                   "  (0): conv(\n"
                   "    (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)\n"
                   "    (1): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
                   "  )\n"
                   "  (stem): conv(\n"
                   "    (0): Conv2d(4, 2, kernel_size=(1, 1), stride=(1, 1), bias=False)\n"
                   "  )\n"
                   "  (1): twice(\n"
                   "    (0): Conv2d(2, 5, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)\n"
                   "    (1): ReLU()\n"
                   "    (2): conv(\n" /* `in` is what entered `twice` */
                   "      (0): Conv2d(5, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)\n"
                   "      (1): ReLU()\n"
                   "    )\n"
                   "  )\n"
                   "  (2): Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1), bias=False)\n"
                   "  (3): ReLU()\n"
                   "  (4): none()\n"
                   ")");
}

/* Items that a block is given are built where they are used, with the names of who gave them. */
static void blocks_take_items(void **state)
{
    (void)state;
    assert_steps("blocks:\n"
                 "  wrap(inner, n): [{for: n, do: inner}, last: inner]\n"
                 "network:\n"
                 "  - for: [4, 5]\n"
                 "    as: width\n"
                 "    do: {wrap: {inner: {do: [Conv2d: {out_channels: width, kernel_size: 1}]}, n: 2}}\n",
                 NULL,
                 "1 = 0.0(0): [4, 8, 8]\n2 = 0.1(1): [4, 8, 8]\n3 = 0.last.0(2): [4, 8, 8]\n"
                 "4 = 1.0(3): [5, 8, 8]\n5 = 1.1(4): [5, 8, 8]\n6 = 1.last.0(5): [5, 8, 8]\n");
}

static void blocks_call_themselves(void **state)
{
    (void)state;
    assert_steps("blocks:\n"
                 "  level(n): [down: {MaxPool2d: 2}, {if: n > 1, then: {inner: {level: n - 1}}}]\n"
                 "network: {level: 3}\n",
                 NULL,
                 "1 = 0.down(0): [3, 4, 4]\n2 = 0.inner.down(1): [3, 2, 2]\n3 = 0.inner.inner.down(2): [3, 1, 1]\n");
}

static void values_are_saved_and_used(void **state)
{
    (void)state;
    assert_steps("blocks:\n"
                 "  meet(other): [add: other]\n"
                 "network:\n"
                 "  - save: start\n"
                 "  - for: 2\n"
                 "    do: [ReLU, save: \"s{index}\"]\n"
                 "  - use: start\n"
                 "  - ReLU\n"
                 "  - add: [\"s{1 - 1}\", s1, start, x]\n"
                 "  - meet: start\n"
                 "  - MaxPool2d: \"start.shape[2] // s0.shape[-1] * 2\"\n",
                 NULL,
                 "1 = 0(0): [3, 8, 8]\n2 = 1(1): [3, 8, 8]\n3 = 2(0): [3, 8, 8]\n4 = add(1, 2, 0, 3): [3, 8, 8]\n"
                 "5 = add(4, 0): [3, 8, 8]\n6 = 4(5): [3, 4, 4]\n");
}

static void loops_go_through_numbers_and_lists(void **state)
{
    (void)state;
    assert_steps("network: [{for: 2, as: i, do: {for: [1, 2], as: n, do: {\"c{i}{n}{index}\": {Conv2d: {out_channels: "
                 "n + i, kernel_size: 1}}}}}]",
                 NULL,
                 "1 = c010(0): [1, 8, 8]\n2 = c021(1): [2, 8, 8]\n3 = c110(2): [2, 8, 8]\n4 = c121(3): [3, 8, 8]\n");
    assert_steps("network: [{for: [[4, 1], [6, 3]], as: [out, kernel], do: {Conv2d: {out_channels: out, kernel_size: "
                 "kernel}}}, {for: 0, do: ReLU}]",
                 NULL, "1 = 0(0): [4, 8, 8]\n2 = 1(1): [6, 6, 6]\n");
    assert_steps("parameters: {k: 2}\n"
                 "network: [{for: [q, k, ReLU], as: name, do: {\"{name}\": ReLU}}, {for: [[key, 1]], as: [n, m], do: "
                 "{\"{n}\": {MaxPool2d: m}}}]",
                 "{\"k\": 2}",
                 "1 = q(0): [3, 8, 8]\n2 = 2(1): [3, 8, 8]\n3 = ReLU(2): [3, 8, 8]\n4 = key(3): [3, 8, 8]\n");
}

static const char stages[] =
    "parameters:\n"
    "  stages:\n"
    "    repeat: {width: {choice: [4, 8]}, blocks: {repeat: {kernel: {choice: [1, 3]}}, times: [1, 2]}}\n"
    "    times: [1, 2]\n"
    "  width: 2\n";

static void loops_go_through_groups(void **state)
{
    char text[1024];

    (void)state;
    (void)snprintf(
        text, sizeof text,
        "%snetwork:\n"
        "  - Conv2d: {out_channels: width, kernel_size: 1}\n"
        "  - for: stages\n"
        "    as: stage\n"
        "    do:\n"
        "      - for: blocks\n"
        "        do: {\"b{stage.index}{index}\": {Conv2d: {out_channels: width, kernel_size: kernel}}}\n"
        "      - if: last and not stage.first\n"
        "        then: {Conv2d: {out_channels: \"stage.blocks[0].kernel + len(stages[1].blocks)\", kernel_size: 1}}\n",
        stages);
    assert_steps(text,
                 "{\"width\": 2, \"stages\": [{\"width\": 4, \"blocks\": [{\"kernel\": 1}, {\"kernel\": 3}]},"
                 " {\"width\": 8, \"blocks\": [{\"kernel\": 3}]}]}",
                 "1 = 0(0): [2, 8, 8]\n2 = b00(1): [4, 8, 8]\n3 = b01(2): [4, 6, 6]\n4 = b10(3): [8, 4, 4]\n"
                 "5 = 1(4): [4, 4, 4]\n");
}

static void parts_are_chosen(void **state)
{
    static const char text[] =
        "parameters: {op: {choice: [conv, pool, 3, true]}, n: {choice: [0, 1]}}\n"
        "network:\n"
        "  - choose: op\n"
        "    from: {conv: {Conv2d: {out_channels: 4, kernel_size: 1}}, 3: [ReLU, ReLU], true: []}\n"
        "    default: {pool: {MaxPool2d: 2}}\n"
        "  - if: n\n"
        "    then: {AdaptiveAvgPool2d: 1}\n"
        "  - named: {if: n == 0, then: ReLU, else: [ReLU]}\n";

    (void)state;
    assert_steps(text, "{\"op\": \"conv\", \"n\": 0}", "1 = 0(0): [4, 8, 8]\n2 = named(1): [4, 8, 8]\n");
    assert_printed("network: [a: {if: true, then: []}, b: {if: false, then: ReLU}, c: {if: true, then: [ReLU]}]", NULL,
                   "Network(\n  (c): Sequential(\n    (0): ReLU()\n  )\n)");
    assert_steps(text, "{\"op\": 3, \"n\": 0}", "1 = 0(0): [3, 8, 8]\n2 = 1(1): [3, 8, 8]\n3 = named(2): [3, 8, 8]\n");
    assert_steps(text, "{\"op\": true, \"n\": 1}", "1 = 0(0): [3, 1, 1]\n2 = named.0(1): [3, 1, 1]\n");
    assert_steps(text, "{\"op\": \"pool\", \"n\": 0}", "1 = pool(0): [3, 4, 4]\n2 = named(1): [3, 4, 4]\n");
}

static void what_is_made_is_computed(void **state)
{
    assert_steps("parameters: {act: {choice: [ReLU, none]}}\n"
                 "blocks: {pool(n=2): [MaxPool2d: n]}\n"
                 "network:\n"
                 "  - make: act if act != 'none' else null\n"
                 "  - make: \"'Conv' + '2d'\"\n"
                 "    args: {out_channels: 4, kernel_size: 3}\n"
                 "  - p: {make: pool, args: [3]}\n"
                 "  - make: \"'flatten'\"\n"
                 "  - step: {make: \"'flatten'\"}\n"
                 "  - make: Linear\n"
                 "    args: classes\n",
                 "{\"act\": \"ReLU\"}",
                 "1 = 0(0): [3, 8, 8]\n2 = 1(1): [4, 6, 6]\n3 = p.0(2): [4, 2, 2]\n4 = flatten(3): [16]\n"
                 "5 = flatten(4): [16]\n6 = 2(5): [10]\n");
    (void)state;
}

static void residuals_are_added_where_shapes_agree(void **state)
{
    (void)state;
    assert_steps("network:\n"
                 "  - residual: {Conv2d: {out_channels: 3, kernel_size: 1}}\n"
                 "  - residual: [ReLU, MaxPool2d: 2]\n"
                 "  - residual:\n"
                 "      do: {main: {Conv2d: {out_channels: 4, kernel_size: 1}}}\n"
                 "      shortcut: {down: {Conv2d: {out_channels: 4, kernel_size: 1}}}\n",
                 NULL,
                 "1 = 0(0): [3, 8, 8]\n2 = add(0, 1): [3, 8, 8]\n3 = 1(2): [3, 8, 8]\n4 = 2(3): [3, 4, 4]\n"
                 "5 = main(4): [4, 4, 4]\n6 = down(4): [4, 4, 4]\n7 = add(5, 6): [4, 4, 4]\n");
}

static void layers_are_called_again(void **state)
{
    (void)state;
    assert_steps("blocks: {twice: [a: ReLU, add: x, call: a]}\n"
                 "network:\n"
                 "  - save: start\n"
                 "  - body: [one: ReLU, MaxPool2d: 2, {call: one}, {add: {residual: [{\"r\": ReLU}]}}]\n"
                 "  - Upsample: {scale_factor: 2}\n"
                 "  - call: body\n"
                 "  - inner: [call: \"/body.one\", twice, call: \"0.a\"]\n",
                 NULL,
                 "1 = body.one(0): [3, 8, 8]\n2 = body.0(1): [3, 4, 4]\n3 = body.one(2): [3, 4, 4]\n"
                 "4 = body.r(3): [3, 4, 4]\n5 = add(3, 4): [3, 4, 4]\n6 = add(3, 5): [3, 4, 4]\n"
                 "7 = 0(6): [3, 8, 8]\n"
                 "8 = body.one(7): [3, 8, 8]\n9 = body.0(8): [3, 4, 4]\n10 = body.one(9): [3, 4, 4]\n"
                 "11 = body.r(10): [3, 4, 4]\n12 = add(10, 11): [3, 4, 4]\n13 = add(10, 12): [3, 4, 4]\n"
                 "14 = body.one(13): [3, 4, 4]\n15 = inner.0.a(14): [3, 4, 4]\n16 = add(15, 15): [3, 4, 4]\n"
                 "17 = inner.0.a(16): [3, 4, 4]\n18 = inner.0.a(17): [3, 4, 4]\n");
}

static void let_names_what_is_computed(void **state)
{
    (void)state;
    assert_steps("network:\n"
                 "  - let: {n: \"x.shape[1] + 1\", m: n * 2}\n"
                 "  - [let: {n: 7}, Conv2d: {out_channels: n, kernel_size: 1}]\n"
                 "  - Conv2d: {out_channels: n + m, kernel_size: 1}\n",
                 NULL, "1 = 0.0(0): [7, 8, 8]\n2 = 1(1): [12, 8, 8]\n");
}

static void operands_are_of_many_kinds(void **state)
{
    (void)state;
    assert_steps(
        "blocks: {act: [ReLU]}\n"
        "network:\n"
        "  - save: s\n"
        "  - add: s\n"                    /* with x */
        "  - add: {a: ReLU, b: [ReLU]}\n" /* branches */
        "  - add: [x, [ReLU], ReLU, {c: ReLU}, {inline: [d: ReLU, e: ReLU]}, {inline: act}]\n"
        "  - add: {for: 2, do: s}\n"
        "  - add: [{for: 2, do: ReLU}, {if: \"x.shape[1] == 3\", then: s}, {if: false, then: s}]\n"
        "  - add: {of: [s, x]}\n"
        "  - add: {ReLU: }\n",
        NULL,
        "1 = add(0, 0): [3, 8, 8]\n2 = a(1): [3, 8, 8]\n3 = b.0(1): [3, 8, 8]\n4 = add(2, 3): [3, 8, 8]\n"
        "5 = 0.0(4): [3, 8, 8]\n6 = 1(4): [3, 8, 8]\n7 = c(4): [3, 8, 8]\n8 = d(4): [3, 8, 8]\n9 = e(8): [3, 8, 8]\n"
        "10 = 2(4): [3, 8, 8]\n11 = add(4, 5, 6, 7, 9, 10): [3, 8, 8]\n12 = add(11, 0, 0): [3, 8, 8]\n"
        "13 = 3(12): [3, 8, 8]\n14 = 4(12): [3, 8, 8]\n15 = add(13, 14, 0): [3, 8, 8]\n"
        "16 = add(0, 15): [3, 8, 8]\n17 = 5(16): [3, 8, 8]\n18 = add(16, 17): [3, 8, 8]\n");
}

static void values_are_combined(void **state)
{
    (void)state;
    assert_steps(
        "network:\n"
        "  - concat: [x, {Conv2d: {out_channels: 5, kernel_size: 1}}]\n"
        "  - multiply: {AdaptiveAvgPool2d: 1}\n"
        "  - subtract: [x, x]\n"
        "  - concat: {of: [x, x], dim: -1}\n"
        "  - concat: {of: x, dim: 2}\n"
        "  - concat: [x]\n"
        "  - flatten: 2\n"
        "  - save: a\n"
        "  - transpose: [1, 2]\n"
        "  - matmul: [a, x]\n",
        NULL,
        "1 = 0(0): [5, 8, 8]\n2 = concat(0, 1): [8, 8, 8]\n3 = 1(2): [8, 1, 1]\n4 = multiply(2, 3): [8, 8, 8]\n"
        "5 = subtract(4, 4): [8, 8, 8]\n6 = concat(5, 5): [8, 8, 16]\n7 = concat(6, 6): [8, 16, 16]\n"
        "8 = concat(7): [8, 16, 16]\n9 = flatten(8): [8, 256]\n10 = transpose(9): [256, 8]\n"
        "11 = matmul(9, 10): [8, 8]\n");
}

/* Steps of several values are written as add is; those of each value take one. */
static void values_are_divided_and_compared(void **state)
{
    (void)state;
    assert_steps("network:\n"
                 "  - save: skip\n"
                 "  - AdaptiveAvgPool2d: 1\n"
                 "  - maximum: [x, skip, x]\n"
                 "  - divide: skip\n"
                 "  - divide: [skip, x]\n"
                 "  - minimum: {AdaptiveAvgPool2d: 1}\n"
                 "  - square\n"
                 "  - clamp: {min: 0.1}\n"
                 "  - pow: {exponent: 0.5}\n",
                 NULL,
                 "1 = 0(0): [3, 1, 1]\n2 = maximum(1, 0, 1): [3, 8, 8]\n3 = divide(2, 0): [3, 8, 8]\n"
                 "4 = divide(0, 3): [3, 8, 8]\n5 = 1(4): [3, 1, 1]\n6 = minimum(4, 5): [3, 8, 8]\n"
                 "7 = square(6): [3, 8, 8]\n8 = clamp(7): [3, 8, 8]\n9 = pow(8): [3, 8, 8]\n");
}

static void attention_takes_queries_keys_and_values(void **state)
{
    (void)state;
    assert_steps("network:\n"
                 "  - flatten: 2\n"
                 "  - save: m\n"
                 "  - q: {Linear: 64}\n"
                 "  - save: q\n"
                 "  - attention: {query: q, key: m, value: [Linear: 64], num_heads: 4, is_causal: true}\n"
                 "  - attention: {num_heads: 2}\n"
                 "  - a: {MultiheadAttention: {num_heads: 4, key: m, value: m}}\n"
                 "  - MultiheadAttention: {num_heads: 2, of: [x, q]}\n"
                 "  - MultiheadAttention: 8\n",
                 NULL,
                 "1 = flatten(0): [3, 64]\n2 = q(1): [3, 64]\n3 = 0.0(2): [3, 64]\n4 = attention(2, 1, 3): [3, 64]\n"
                 "5 = attention(4, 4, 4): [3, 64]\n6 = a(5, 1, 1): [3, 64]\n7 = 1(6, 2): [3, 64]\n8 = 2(7): [3, 64]\n");
}

static void steps_take_arguments(void **state)
{
    (void)state;
    assert_steps(
        "network:\n"
        "  - permute: [0, 2, 3, 1]\n"
        "  - reshape: [64, -1]\n"
        "  - slice: {dim: 1, end: \"x.shape[1] // 2\"}\n"
        "  - chunk: {chunks: 2, index: 1}\n"
        "  - scale: 0.5\n"
        "  - shift: -1.0e+10\n" /* beyond the whole numbers */
        "  - select: {index: 0}\n"
        "  - softmax\n"
        "  - mean: {dim: 1, keepdim: true}\n",
        NULL,
        "1 = permute(0): [8, 8, 3]\n2 = reshape(1): [64, 3]\n3 = slice(2): [32, 3]\n4 = chunk(3): [16, 3]\n"
        "5 = scale(4): [16, 3]\n6 = shift(5): [16, 3]\n7 = select(6): [3]\n8 = softmax(7): [3]\n9 = mean(8): [1]\n");
}

static void assert_state(const char *text, const archai_data_shape *data, const char *entries)
{
    archai_err err = ARCHAI_ERR_INIT;
    char got[2048] = "", shape[ARCHAI_SHAPE_TEXT];
    archai_state_entry *state;
    network_text t;
    size_t n;

    if (network_text_read(&t, text, &err) != ARCHAI_OK || network_text_build(&t, NULL, data, &err) != ARCHAI_OK)
        fail_msg("%s\n%s", text, err.text);
    state = archai_module_state(t.net.root, &n);
    for (size_t i = 0; i < n; i++) {
        archai_shape s = {.ndim = state[i].ndim};

        memcpy(s.dim, state[i].shape, sizeof s.dim);
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s %s\n", state[i].name,
                       archai_shape_text(&s, shape));
    }
    assert_string_equal(got, entries);
    archai_state_free(state, n);
    network_text_fini(&t);
}

/* A module's own parameter is named as its children are. */
static void parameters_of_ones_own(void **state)
{
    static const char text[] =
        "network:\n"
        "  - flatten: 2\n"
        "  - transpose: [1, 2]\n"
        "  - concat: [{class_token: {Parameter: {shape: [1, 1, \"x.shape[2]\"], batch: true, init: zeros}}}, x]\n"
        "  - encoder: [add: [x, {pos: {Parameter: {shape: [1, \"x.shape[1]\", in], batch: true, init: normal, std: "
        "0.02}}}],"
        " ln: LayerNorm]\n";

    (void)state;
    assert_state(text, &small_images,
                 "class_token [1, 1, 3]\nencoder.pos [1, 65, 3]\nencoder.ln.weight [3]\nencoder.ln.bias [3]\n");
    assert_steps(
        text, NULL,
        "1 = flatten(0): [3, 64]\n2 = transpose(1): [64, 3]\n3 = class_token(2): [1, 3]\n4 = concat(3, 2): [65, 3]\n"
        "5 = encoder.pos(4): [65, 3]\n6 = add(4, 5): [65, 3]\n7 = encoder.ln(6): [65, 3]\n");
}

/* A number alone has no sizes in the state_dict, and is [1] where it is used. */
static void parameters_may_be_one_number(void **state)
{
    static const char text[] = "network:\n"
                               "  - multiply: {scale: {Parameter: {shape: [], value: 0.7}}}\n"
                               "  - add: {shift: {Parameter: {shape: [3], view: [3, 1, 1], std: 0.1}}}\n";

    (void)state;
    assert_state(text, &small_images, "scale []\nshift [3]\n");
    assert_steps(text, NULL,
                 "1 = scale(0): [1]\n2 = multiply(0, 1): [3, 8, 8]\n3 = shift(2): [3, 1, 1]\n"
                 "4 = add(2, 3): [3, 8, 8]\n");
}

static void weights_are_tied(void **state)
{
    static const archai_data_shape tokens = {.tokens = 5, .vocab = 11};
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;

    (void)state;
    assert_int_equal(network_text_read(&t,
                                       "network:\n"
                                       "  - body: [wte: {Embedding: [vocab, 4]}]\n"
                                       "  - head: {Linear: {out_features: vocab, bias: false, tie: body.wte}}\n",
                                       &err),
                     ARCHAI_OK);
    if (network_text_build(&t, NULL, &tokens, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_ptr_equal(t.net.root->children[1]->tied, t.net.root->children[0]->children[0]);
    assert_int_equal(archai_module_params(t.net.root), 44);
    assert_true(t.net.tokens);
    network_text_fini(&t);
}

static void words_of_arguments_come_first(void **state)
{
    (void)state;
    assert_printed("parameters: {pad: {choice: [same, 1]}, same: 7}\n"
                   "blocks: {conv(padding): [Conv2d: {out_channels: 4, kernel_size: 3, padding: padding}]}\n"
                   "network:\n"
                   "  - Conv2d: {out_channels: 4, kernel_size: 3, padding: same}\n"
                   "  - Conv2d: {out_channels: 4, kernel_size: 3, padding: pad}\n"
                   "  - inline: {conv: valid}\n"
                   "  - Upsample: {scale_factor: 2, mode: bilinear}\n",
                   "{\"pad\": \"same\", \"same\": 7}",
                   "Network(\n"
                   "  (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=same)\n"
                   "  (1): Conv2d(4, 4, kernel_size=(3, 3), stride=(1, 1), padding=same)\n"
                   "  (2): Conv2d(4, 4, kernel_size=(3, 3), stride=(1, 1), padding=valid)\n"
                   "  (3): Upsample(scale_factor=2.0, mode=bilinear)\n"
                   ")");
}

/* The output is what the last step writes, so another value is copied there. */
static void the_output_is_the_current_value(void **state)
{
    (void)state;
    assert_steps("network: [ReLU, save: a, ReLU, use: a]", NULL,
                 "1 = 0(0): [3, 8, 8]\n2 = 1(1): [3, 8, 8]\n3 = Identity(1): [3, 8, 8]\n");
}

static void names_hide_those_outside(void **state)
{
    (void)state;
    /* loop names, then the block's arguments, then parameters, then what the data say */
    assert_steps(
        "parameters: {classes: {choice: [5]}, width: 3, n: 9}\n"
        "blocks: {b(width): [{Conv2d: {out_channels: width + n, kernel_size: 1}}, {for: 1, as: width, do: {MaxPool2d: "
        "width + 2}}]}\n"
        "network: [b: 4, flatten, Linear: classes, Linear: channels]\n",
        "{\"classes\": 5, \"width\": 3, \"n\": 9}",
        "1 = 0.0(0): [13, 8, 8]\n2 = 0.1(1): [13, 4, 4]\n3 = flatten(2): [208]\n4 = 1(3): [5]\n5 = 2(4): [3]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_in_a_row_are_numbered),
        cmocka_unit_test(names_of_children),
        cmocka_unit_test(dots_in_names_lead_into_containers),
        cmocka_unit_test(expressions_in_names),
        cmocka_unit_test(arguments_of_classes),
        cmocka_unit_test(blocks_are_called),
        cmocka_unit_test(blocks_take_items),
        cmocka_unit_test(blocks_call_themselves),
        cmocka_unit_test(values_are_saved_and_used),
        cmocka_unit_test(loops_go_through_numbers_and_lists),
        cmocka_unit_test(loops_go_through_groups),
        cmocka_unit_test(parts_are_chosen),
        cmocka_unit_test(what_is_made_is_computed),
        cmocka_unit_test(residuals_are_added_where_shapes_agree),
        cmocka_unit_test(layers_are_called_again),
        cmocka_unit_test(let_names_what_is_computed),
        cmocka_unit_test(operands_are_of_many_kinds),
        cmocka_unit_test(values_are_combined),
        cmocka_unit_test(values_are_divided_and_compared),
        cmocka_unit_test(attention_takes_queries_keys_and_values),
        cmocka_unit_test(steps_take_arguments),
        cmocka_unit_test(parameters_of_ones_own),
        cmocka_unit_test(parameters_may_be_one_number),
        cmocka_unit_test(weights_are_tied),
        cmocka_unit_test(words_of_arguments_come_first),
        cmocka_unit_test(the_output_is_the_current_value),
        cmocka_unit_test(names_hide_those_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
