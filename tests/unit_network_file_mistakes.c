/* Networks in files: what is refused, with the whole text of the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "network_file.h"
#include "tmpdir.h"

typedef struct mistake {
    const char *text, *message;
} mistake;

static void assert_refused(const char *text, const char *params, const archai_data_shape *data, bool when_read,
                           const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;
    int rc = network_text_read(&t, text, &err);

    if (when_read && rc == ARCHAI_OK)
        fail_msg("%s\nis read", text);
    if (!when_read && rc != ARCHAI_OK)
        fail_msg("%s\nis not read: %s", text, err.text);
    if (rc == ARCHAI_OK && network_text_build(&t, params, data, &err) == ARCHAI_OK)
        fail_msg("%s\nis built", text);
    assert_string_equal(err.text, message);
    assert_int_not_equal(err.code, ARCHAI_OK);
    network_text_fini(&t);
}

static void refuse_all(const mistake *table, size_t n, bool when_read)
{
    for (size_t i = 0; i < n; i++)
        assert_refused(table[i].text, NULL, &small_images, when_read, table[i].message);
}

#define REFUSE_ALL(table, when_read) refuse_all(table, sizeof(table) / sizeof(table)[0], when_read)

/* Before anything is built. */
static void unknown_words_are_named(void **state)
{
    static const mistake table[] = {
        {"netwrk: [ReLU]\n", "f.yaml:1: netwrk: unknown key; did you mean 'network'?"},
        {"parameters: {}\n", "f.yaml:1: there is no 'network'"},
        {"[network]\n", "f.yaml:1: expected a mapping"},
        {"class: 3\nnetwork: ReLU\n", "f.yaml:1: class: expected the name of the network's class"},
        {"network: [ReLUU]\n", "f.yaml:1: network: there is no class, step or block 'ReLUU'; did you mean 'ReLU'?"},
        {"network:\n  - Conv: {out_channels: 4, kernel_size: 3}\n",
         "f.yaml:2: network: there is no class, step or block 'Conv'; did you mean 'Conv1d'?"},
        {"network:\n  - stem:\n      - Dropot: 0.1\n",
         "f.yaml:3: network.stem: there is no class, step or block 'Dropot'; did you mean 'Dropout'?"},
        {"network:\n  - Linaer: classes\n",
         "f.yaml:2: network: there is no class, step or block 'Linaer'; did you mean 'Linear'?"},
        {"network: {conv1: 64}\n",
         "f.yaml:1: network: there is no class, step or block 'conv1'; did you mean 'Conv1d'?"},
        {"network:\n  - x\n", "f.yaml:2: network: expected a class, step or block; to go on with a value, 'use: x'"},
        {"network:\n  - classes\n",
         "f.yaml:2: network: expected a class, step or block; for one that 'classes' names, 'make: classes'"},
        {"network:\n  - residual\n", "f.yaml:2: network: 'residual' needs something behind it"},
        {"network:\n  - 3\n",
         "f.yaml:2: network: expected a class, a step, a block, a list or 'name: ...', got a number or flag"},
        {"network:\n  - ReLU\n  -\n",
         "f.yaml:1: network: expected a class, a step, a block, a list or 'name: ...', got nothing"},
        {"network:\n  - {}\n",
         "f.yaml:2: network: expected a class, a step, a block, a list or 'name: ...', got an empty mapping"},
        {"network:\n  - inline: bb\n", "f.yaml:2: network: inline: there is no block 'bb'"},
        {"network:\n  - inline: {}\n",
         "f.yaml:2: network: inline: expected a block, {BLOCK: arguments} or a list of items"},
        {"network:\n  - use: skip\n", "f.yaml:2: network: use: there is no value 'skip'"},
        {"network:\n  - add: [x, skip]\n", "f.yaml:2: network: there is no value, class, step or block 'skip'"},
        {"network:\n  - save: 3\n", "f.yaml:2: network: save: expected a name"},
        {"network:\n  - save: a b\n",
         "f.yaml:2: network: save: 'a b' is not a name: letters, digits and _, a letter first"},
        {"network:\n  - for: 3\n", "f.yaml:2: network: for: needs 'do'"},
        {"network:\n  - for: 3\n    do: ReLU\n    az: i\n",
         "f.yaml:2: network: for: az: unknown key; did you mean 'as'?"},
        {"network:\n  - for: 3\n    as: in\n    do: ReLU\n",
         "f.yaml:3: network: the name 'in' is a word of the grammar"},
        {"network:\n  - for: 3\n    as: []\n    do: ReLU\n", "f.yaml:3: network: as: expected a name"},
        {"network:\n  - if: true\n    esle: ReLU\n", "f.yaml:2: network: if: esle: unknown key; did you mean 'else'?"},
        {"network:\n  - if: true\n", "f.yaml:2: network: if: needs 'then'"},
        {"network:\n  - choose: \"'a'\"\n    from: [ReLU]\n",
         "f.yaml:3: network: choose: needs 'from': {value: ..., value: ...}"},
        {"parameters: {op: {choice: [conv, true, 3]}}\nnetwork:\n  - choose: op\n    from: {conv: ReLU, 3: ReLU}\n",
         "f.yaml:3: network: choose: 'op' may be true, which is not in 'from', and there is no 'default'"},
        {"parameters: {op: {choice: [[1, 2]]}}\nnetwork:\n  - choose: op\n    from: {conv: ReLU}\n",
         "f.yaml:3: network: choose: 'op' may be [1, 2], which is not in 'from', and there is no 'default'"},
        {"network:\n  - make: Conv2d\n    arg: 3\n", "f.yaml:2: network: make: arg: unknown key; did you mean 'args'?"},
        {"network:\n  - let: {in: 3}\n", "f.yaml:2: network: let: the name 'in' is a word of the grammar"},
        {"network:\n  - [let: {size: 3}, MaxPool2d: size]\n  - MaxPool2d: size\n",
         "f.yaml:3: network: MaxPool2d: 'size': there is no name 'size'; did you mean 'slice'?"},
        {"network:\n  - add: [x, {let: {a: 3}}]\n", "f.yaml:2: network: 'let' makes no value; write it before"},
        {"network:\n  - let: {}\n", "f.yaml:2: network: let: needs {name: value}"},
        {"network:\n  - child: {do: ReLU}\n", "f.yaml:2: network: child: needs {name: NAME, do: ...}"},
        {"network:\n  - residual: {do: ReLU, short: ReLU}\n",
         "f.yaml:2: network: residual: short: unknown key; did you mean 'shortcut'?"},
        {"network:\n  - add\n", "f.yaml:2: network: add: needs operands"},
        {"network:\n  - \"a{\": ReLU\n", "f.yaml:2: network: expected {expression} in the name"},
        {"network:\n  - \"a}\": ReLU\n", "f.yaml:2: network: expected {expression} in the name"},
        {"network:\n  - \"\": ReLU\n", "f.yaml:2: network: expected a name of 1 to 4000 characters"},
    };

    (void)state;
    REFUSE_ALL(table, true);
}

static void arguments_are_checked(void **state)
{
    static const mistake table[] = {
        {"network: [Conv2d]\n", "f.yaml:1: network: Conv2d: needs 'out_channels'"},
        {"network:\n  - Conv2d: 4\n", "f.yaml:2: network: Conv2d: needs 'kernel_size'"},
        {"network:\n  - Conv2d: {out_channels: 4, kernal_size: 3}\n",
         "f.yaml:2: network: Conv2d: there is no argument 'kernal_size'; did you mean 'kernel_size'?"},
        {"network:\n  - Conv2d:\n      out_channels: 0\n      kernel_size: 3\n",
         "f.yaml:3: network: Conv2d: out_channels: expected a whole number from 1, got 0"},
        {"network:\n  - Conv2d: {out_channels: 2.5, kernel_size: 3}\n",
         "f.yaml:2: network: Conv2d: out_channels: expected a whole number from 1, got 2.5"},
        {"network:\n  - Conv2d: {out_channels: true, kernel_size: 3}\n",
         "f.yaml:2: network: Conv2d: out_channels: expected a whole number from 1, got true"},
        {"network:\n  - Conv2d: {out_channels: null, kernel_size: 3}\n",
         "f.yaml:2: network: Conv2d: out_channels: expected a whole number from 1, got null"},
        {"network:\n  - Conv2d: {out_channels: 3000000000, kernel_size: 3}\n",
         "f.yaml:2: network: Conv2d: out_channels: expected a whole number from 1 to 2147483647, got 3000000000"},
        {"network:\n  - Conv2d: {out_channels: 4, kernel_size: [1, 2, 3]}\n",
         "f.yaml:2: network: Conv2d: kernel_size: expected a whole number or two from 1, got [1, 2, 3]"},
        {"network:\n  - Conv2d: {out_channels: 4, kernel_size: 1, padding: smae}\n",
         "f.yaml:2: network: Conv2d: padding: expected same, valid or a value, got 'smae'; did you mean 'same'?"},
        {"network:\n  - Conv2d: {out_channels: 4, kernel_size: 1, padding: \"'smae'\"}\n",
         "f.yaml:2: network: Conv2d: padding: expected a whole number or two from 0 or same, valid, got 'smae'"},
        {"network:\n  - Conv2d: {out_channels: 4, kernel_size: 1, bias: 2}\n",
         "f.yaml:2: network: Conv2d: bias: expected true or false, got 2"},
        {"network:\n  - Conv2d: {out_channels: 4, kernel_size: {a: 3}}\n",
         "f.yaml:2: network: Conv2d: kernel_size: '{\"a\":3}': expected a number, a text or a list"},
        {"network:\n  - Dropout: 1.5\n", "f.yaml:2: network: Dropout: p: expected a number from 0.0 to 1.0, got 1.5"},
        {"network:\n  - Upsample: {scale_factor: 2, mode: \"'cubic'\"}\n",
         "f.yaml:2: network: Upsample: mode: expected one of nearest, bilinear, got 'cubic'"},
        {"network:\n  - Sigmoid: 3\n", "f.yaml:2: network: Sigmoid: takes no arguments"},
        {"network:\n  - Sigmoid: {p: 3}\n", "f.yaml:2: network: Sigmoid: takes no arguments, got 'p'"},
        {"network:\n  - transpose: [1, 2, 3]\n", "f.yaml:2: network: transpose: takes dim0, dim1, got 3 values"},
        {"network:\n  - Conv2d: {out_channels: widht, kernel_size: 3}\n",
         "f.yaml:2: network: Conv2d: out_channels: 'widht': there is no name 'widht'; did you mean 'width'?"},
        {"network:\n  - MaxPool2d: 1 +\n", "f.yaml:2: network: MaxPool2d: '1 +': it ends where a value is expected"},
        {"network:\n  - Linear: {out_features: 3, tie: 0}\n", "f.yaml:2: network: tie: expected the path of a layer"},
        {"parameters: {s: {repeat: {kernel: {choice: [1, 2]}}, times: [1]}, w: {choice: [1]}}\n"
         "network:\n  - {for: s, as: t, do: {MaxPool2d: t.kernl}}\n",
         "f.yaml:3: network: MaxPool2d: 't.kernl': there is no parameter 's.kernl'; did you mean 'kernel'?"},
        {"parameters: {w: {choice: [1]}}\nnetwork: {MaxPool2d: w.x}\n",
         "f.yaml:2: network: MaxPool2d: 'w.x': 'w' is a parameter and has no 'x'"},
        {"blocks: {b: [MaxPool2d: size]}\nnetwork: [{for: 2, as: size, do: b}]\n", /* a block does not see the caller's
                                                                                      names */
         "f.yaml:1: b: MaxPool2d: 'size': there is no name 'size'; did you mean 'slice'?"},
        {"network:\n  - BatchNorm2d: {eps: 64}\n",
         "f.yaml:2: network: BatchNorm2d: eps: expected a number from 0.0 to 1.0, got 64"},
        {"network:\n  - LayerNorm: {eps: 64}\n",
         "f.yaml:2: network: LayerNorm: eps: expected a number from 0.0 to 1.0, got 64"},
    };

    (void)state;
    REFUSE_ALL(table, true);
}

/* What follows from the input is not written, so PyTorch's order of values would mean something else. */
static void values_without_names_go_to_what_must_be_given(void **state)
{
    static const mistake table[] = {
        {"network:\n  - BatchNorm2d: 64\n",
         "f.yaml:2: network: BatchNorm2d: num_features follows from what arrives; write BatchNorm2d, or {eps: ...}"},
        {"network:\n  - BatchNorm2d: width\nparameters: {width: {choice: [8]}}\n",
         "f.yaml:2: network: BatchNorm2d: num_features follows from what arrives; write BatchNorm2d, or {eps: ...}"},
        {"network:\n  - InstanceNorm2d: [64]\n",
         "f.yaml:2: network: InstanceNorm2d: num_features follows from what arrives; write InstanceNorm2d, or {eps: "
         "...}"},
        {"network:\n  - LayerNorm: 64\n",
         "f.yaml:2: network: LayerNorm: normalized_shape follows from what arrives; write LayerNorm, or {eps: ...}"},
        {"network:\n  - GroupNorm: [4, 8]\n",
         "f.yaml:2: network: GroupNorm: takes num_groups by position; the others by name"},
        {"network:\n  - Conv2d: [3, 16, 3]\n",
         "f.yaml:2: network: Conv2d: takes out_channels, kernel_size by position; the others by name"},
        {"network:\n  - Conv2d: [3, classes, 3]\n",
         "f.yaml:2: network: Conv2d: takes out_channels, kernel_size by position; the others by name"},
        {"network:\n  - Linear: [8, 16]\n",
         "f.yaml:2: network: Linear: takes out_features by position; the others by name"},
        {"network:\n  - BatchNorm2d: {eps: 64}\n",
         "f.yaml:2: network: BatchNorm2d: eps: expected a number from 0.0 to 1.0, got 64"},
        {"network:\n  - LayerNorm: {eps: 64}\n",
         "f.yaml:2: network: LayerNorm: eps: expected a number from 0.0 to 1.0, got 64"},
        {"network:\n  - RMSNorm: {eps: 64}\n",
         "f.yaml:2: network: RMSNorm: eps: expected a number from 0.0 to 1.0 or null, got 64"},
        {"network:\n  - GroupNorm: {num_groups: 1, eps: 8}\n",
         "f.yaml:2: network: GroupNorm: eps: expected a number from 0.0 to 1.0, got 8"},
    };
    static const mistake built[] = {
        {"network:\n  - make: BatchNorm2d\n    args: 64\n",
         "f.yaml:3: 0: BatchNorm2d: num_features follows from what arrives; write BatchNorm2d, or {eps: ...}"},
        {"network:\n  - let: {sizes: [3, 16, 3]}\n  - make: Conv2d\n    args: sizes\n",
         "f.yaml:4: 0: Conv2d: takes out_channels, kernel_size by position; the others by name"},
    };

    (void)state;
    REFUSE_ALL(table, true);
    REFUSE_ALL(built, false);
}

static void arguments_that_a_block_never_uses_are_named(void **state)
{
    static const mistake table[] = {
        {"blocks:\n  b(out, kernel):\n    - Conv2d: [out, 3]\nnetwork:\n  - b: [4, 3]\n",
         "f.yaml:2: b: the argument 'kernel' is never used"},
        {"blocks:\n  b(kernel): {for: [3], as: kernel, do: {MaxPool2d: kernel}}\nnetwork:\n  - b: 3\n",
         "f.yaml:2: b: the argument 'kernel' is never used"},
    };
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;

    (void)state;
    REFUSE_ALL(table, true);
    /* in a default, as a value, in an expression, as a body, by a name that is computed */
    assert_int_equal(
        network_text_read(&t,
                          "blocks:\n  a(n, m=n, v, k, body):\n    - use: v\n    - MaxPool2d: k\n    - body\n"
                          "    - if: m > 1\n      then: ReLU\n"
                          "  c(v1): [use: \"v{1}\"]\n"
                          "network:\n  - a: {n: 1, v: 2, k: 1, body: {do: ReLU}}\n",
                          &err),
        ARCHAI_OK);
    network_text_fini(&t);
}

/* What those write who know PyTorch, with what is written here. */
static void pytorchs_other_names_are_known(void **state)
{
    static const mistake table[] = {
        {"network: [relu]\n", "f.yaml:1: network: there is no class, step or block 'relu'; write ReLU"},
        {"network: [F.gelu]\n", "f.yaml:1: network: there is no class, step or block 'F.gelu'; write GELU"},
        {"network: [nn.ReLU]\n", "f.yaml:1: network: there is no class, step or block 'nn.ReLU'; write ReLU"},
        {"network: [max_pool2d: 2]\n",
         "f.yaml:1: network: there is no class, step or block 'max_pool2d'; write MaxPool2d"},
        {"network:\n  - save: a\n  - cat: [x, a]\n",
         "f.yaml:3: network: there is no class, step or block 'cat'; write concat"},
        {"network:\n  - cat: {of: [x, x], dim: 1}\n",
         "f.yaml:2: network: there is no class, step or block 'cat'; write concat"},
        {"network:\n  - view: [-1, 8]\n", "f.yaml:2: network: there is no class, step or block 'view'; write reshape"},
        {"network:\n  - unsqueeze: 1\n",
         "f.yaml:2: network: there is no class, step or block 'unsqueeze'; write reshape"},
        {"network:\n  - interpolate: {scale_factor: 2}\n",
         "f.yaml:2: network: there is no class, step or block 'interpolate'; write Upsample"},
        {"network:\n  - DropPath: 0.1\n",
         "f.yaml:2: network: there is no class, step or block 'DropPath'; write StochasticDepth"},
        {"network:\n  - LayerNorm2d\n",
         "f.yaml:2: network: there is no class, step or block 'LayerNorm2d'; write permute: [0, 2, 3, 1], then "
         "LayerNorm, then permute: [0, 3, 1, 2]"},
        {"network:\n  - Linear:classes\n",
         "f.yaml:2: network: there is no class, step or block 'Linear:classes'; a blank goes after the ':'"},
        {"network:\n  - Conv2d:\n    out_channels: 8\n    kernel_size: 3\n",
         "f.yaml:3: network: 'out_channels' is an argument of Conv2d: indent it deeper than 'Conv2d'"},
        {"network:\n  - for: 3\n    body: ReLU\n",
         "f.yaml:2: network: for: body: unknown key; it takes do and as"},
        {"network:\n  - if: true\n    do: ReLU\n",
         "f.yaml:2: network: if: do: unknown key; it takes then and else"},
        {"network:\n  - MaxPool2d: (3, 3)\n",
         "f.yaml:2: network: MaxPool2d: '(3, 3)': expected ')' (a list is [3, 3]) at ', 3)'"},
        {"network:\n  - MaxPool2d: {kernel_size: (3, 3)}\n",
         "f.yaml:2: network: MaxPool2d: kernel_size: '(3': it ends where ')' (a list is [3, 3]) is expected"},
        {"blocks:\n  b: [{add: [x, skip]}]\nnetwork:\n  - save: skip\n  - b\n",
         "f.yaml:2: b: 'skip' is a value outside of this block: hand it to the block as an argument"},
        {"class: N\nnetwrok: [ReLU]\n", "f.yaml:2: netwrok: unknown key; did you mean 'network'?"},
        {"class: N\n\nmodel: [ReLU]\n", "f.yaml:3: model: unknown key; did you mean 'network'?"},
    };
    static const mistake built[] = {
        {"network:\n  - concat: {of: [x, x], dim: 4}\n",
         "f.yaml:2: network: concat: its input is [3, 8, 8], expected a dimension from 1 to 3, got 4"},
    };
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;

    (void)state;
    REFUSE_ALL(table, true);
    REFUSE_ALL(built, false);
    /* they are good names of children */
    assert_int_equal(network_text_read(&t,
                                       "network:\n  - relu: ReLU\n  - stack: [ReLU, ReLU]\n  - view: {reshape: -1}\n"
                                       "  - cat: [{Linear: 4}]\n",
                                       &err),
                     ARCHAI_OK);
    network_text_fini(&t);
}

static void blocks_are_checked(void **state)
{
    static const mistake table[] = {
        {"blocks: [b]\nnetwork: ReLU\n", "f.yaml:1: blocks: expected {NAME(arguments): items}"},
        {"blocks:\n  Conv2d(a): []\nnetwork: ReLU\n",
         "f.yaml:2: blocks: 'Conv2d' is a class or step and cannot be a block"},
        {"blocks:\n  for: []\nnetwork: ReLU\n", "f.yaml:2: blocks: the name 'for' is a word of the grammar"},
        {"blocks:\n  2b: []\nnetwork: ReLU\n",
         "f.yaml:2: blocks: '2b' is not a name: letters, digits and _, a letter first"},
        {"blocks:\n  b(a: []\nnetwork: ReLU\n", "f.yaml:2: blocks: expected NAME(argument, argument=default)"},
        {"blocks:\n  b(a): []\n  b(c): []\nnetwork: ReLU\n", "f.yaml:3: blocks: the block 'b' is defined twice"},
        {"blocks:\n  b(x): []\nnetwork: ReLU\n", "f.yaml:2: block 'b': the name 'x' is a word of the grammar"},
        {"blocks:\n  b(a, a): []\nnetwork: ReLU\n", "f.yaml:2: block 'b': the argument 'a' appears twice"},
        {"blocks:\n  b(a, ): []\nnetwork: ReLU\n",
         "f.yaml:2: block 'b': '' is not a name: letters, digits and _, a letter first"},
        {"blocks:\n  b(a=later, later=1): []\nnetwork: ReLU\n",
         "f.yaml:2: block 'b': a: 'later': there is no name 'later'"},
        {"blocks:\n  b(out, kernel): []\nnetwork:\n  - b: {out: 3}\n", "f.yaml:4: network: b: needs 'kernel'"},
        {"blocks:\n  b(out, kernel): []\nnetwork:\n  - b: {outt: 3, kernel: 2}\n",
         "f.yaml:4: network: b: there is no argument 'outt'; did you mean 'out'?"},
        {"blocks:\n  b(out): []\nnetwork:\n  - b: [1, 2]\n", "f.yaml:4: network: b: takes 1 argument, got 2"},
        {"blocks:\n  b(out): []\nnetwork:\n  - b: {out: {dop: ReLU}}\n",
         "f.yaml:4: network: expected a value, or items of a network as {do: ...}"},
        {"blocks:\n  b: [Foo: 3]\nnetwork: b\n", "f.yaml:2: b: there is no class, step or block 'Foo'"},
        {"include: [nothing.yaml]\nnetwork: ReLU\n", "f.yaml:1: include: ./nothing.yaml: there is no such file"},
        {"include: {a: 3}\nnetwork: ReLU\n", "f.yaml:1: include: expected a list of files"},
        {"include: [/dev/null]\nnetwork: ReLU\n", "f.yaml:1: include: /dev/null: not a file"},
        {"input: [3]\nnetwork: ReLU\n",
         "f.yaml:1: input: expected {channels, height, width}, {tokens, vocab} or {features}"},
        {"input: {chanels: 3}\nnetwork: ReLU\n", "f.yaml:1: input: chanels: unknown key; did you mean 'channels'?"},
        {"input: {channels: 0}\nnetwork: ReLU\n", "f.yaml:1: input: channels: 0 is outside 1..2147483647"},
        {"input: {channels: 3, tokens: 4}\nnetwork: ReLU\n",
         "f.yaml:1: input: expected one of {channels, height, width}, {tokens, vocab}, {features}"},
    };

    (void)state;
    REFUSE_ALL(table, true);
}

/* What depends on values and shapes. */
static void shapes_that_do_not_fit_are_shown(void **state)
{
    static const mistake table[] = {
        {"network:\n  - layer1:\n      - Conv2d: {out_channels: 4, kernel_size: 9}\n",
         "f.yaml:3: layer1.0: Conv2d: its input is [3, 8, 8], expected at least the kernel's size: 9"},
        {"network:\n  - flatten\n  - bn: BatchNorm2d\n",
         "f.yaml:3: bn: BatchNorm2d: its input is [192], expected [channels, height, width]"},
        {"network:\n  - bn: {BatchNorm2d: {num_features: 9}}\n",
         "f.yaml:2: bn: BatchNorm2d: its input is [3, 8, 8], expected channels: 9"},
        {"network:\n  - residual:\n      do: {MaxPool2d: 2}\n      shortcut: ReLU\n",
         "f.yaml:2: network: a sum of [3, 4, 4] and [3, 8, 8]"},
        {"network:\n  - concat: [x, {MaxPool2d: 2}]\n",
         "f.yaml:2: network: concat: [3, 8, 8] and [3, 4, 4] cannot be joined along dimension 1"},
        {"network:\n  - add: [x]\n", "f.yaml:2: network: add: takes at least 2 operands, got 1"},
        {"network:\n  - add: {for: 0, do: x}\n", "f.yaml:2: network: add: takes at least 2 operands, got 1"},
        {"network:\n  - subtract: [x, x, x]\n", "f.yaml:2: network: subtract: takes at most 2 operands, got 3"},
        {"network:\n  - MaxPool2d: classes - 10\n",
         "f.yaml:2: 0: MaxPool2d: kernel_size: expected a whole number or two from 1, got 0"},
        {"network:\n  - MaxPool2d: \"x.shape[0]\"\n", "f.yaml:2: 0: MaxPool2d: kernel_size: expected a whole number or "
                                                      "two from 1, got the unknown size of the batch"},
        {"network:\n  - MaxPool2d: \"x.shape[4]\"\n",
         "f.yaml:2: 0: MaxPool2d: kernel_size: 'x.shape[4]': [4] of a list of 4"},
        {"network:\n  - Embedding: [tokens, 4]\n",
         "f.yaml:2: 0: Embedding: num_embeddings: '[\"tokens\",4]': the data do not say 'tokens': give it in 'input'"},
        {"network:\n  - call: relu\n", "f.yaml:2: network: call: there is no child 'relu' before this"},
        {"network:\n  - body: [call: body]\n", "f.yaml:2: body: call: 'body' is not complete yet"},
        {"network:\n  - body: [Linear: 4]\n  - flatten\n  - call: body\n",
         "f.yaml:4: network: call: 'body': Linear: its input is [96], expected a last dimension of 8"},
        {"network:\n  - Linear: {out_features: 3, tie: a.b}\n",
         "f.yaml:2: 0: tie: there is no layer with a weight at 'a.b'"},
        {"network:\n  - a: {Linear: 5}\n  - b: {Linear: {out_features: 3, tie: a}}\n",
         "f.yaml:3: b: tie: its weight is [3, 5], that of 'a' is [5, 8]"},
        {"network:\n  - a: {Linear: 8}\n  - Dropout: {tie: a}\n", "f.yaml:3: 0: tie: Dropout cannot share a weight; Linear, Embedding and Conv1D can"},
        {"network:\n  - Parameter: {shape: [1, 2], init: zeros}\n",
         "f.yaml:2: network: Parameter: needs a name, 'name: {Parameter: ...}'"},
        {"network:\n  - p: {Parameter: {shape: [2]}}\n",
         "f.yaml:2: p: Parameter: needs one of 'init' (zeros, ones, normal, constant), 'value' and 'std'"},
        {"network:\n  - p: {Parameter: {shape: [2], std: 1, value: 1}}\n",
         "f.yaml:2: p: Parameter: needs one of 'init' (zeros, ones, normal, constant), 'value' and 'std'"},
        {"network:\n  - p: {Parameter: {shape: [2], init: constant}}\n",
         "f.yaml:2: p: Parameter: init constant needs 'value'"},
        {"network:\n  - p: {Parameter: {shape: [2], init: ones, value: 2}}\n",
         "f.yaml:2: p: Parameter: 'value' is for init constant, not ones"},
        {"network:\n  - p: {Parameter: {shape: [2], init: zeros, std: 2}}\n",
         "f.yaml:2: p: Parameter: 'std' is for init normal, not zeros"},
        {"network:\n  - p: {Parameter: {shape: [], batch: true, init: ones}}\n",
         "f.yaml:2: p: Parameter: its shape has 0 sizes, expected 1 to 6 besides the batch"},
        {"network:\n  - p: {Parameter: {shape: [1], batch: true, init: ones}}\n",
         "f.yaml:2: p: Parameter: its shape has 1 sizes, expected 1 to 6 besides the batch"},
        {"network:\n  - divide: [x, x, x]\n", "f.yaml:2: network: divide: takes at most 2 operands, got 3"},
        {"network:\n  - maximum: [x, {MaxPool2d: 2}]\n",
         "f.yaml:2: network: a maximum of [3, 8, 8] and [3, 4, 4]"},
        {"network:\n  - clamp\n", "f.yaml:2: network: clamp: needs one of 'min' and 'max', or both"},
        {"network:\n  - clamp: {min: 1, max: 0}\n", "f.yaml:2: network: clamp: its min is greater than its max"},
    };

    (void)state;
    REFUSE_ALL(table, false);
}

static void values_that_do_not_fit_are_shown(void **state)
{
    static const mistake table[] = {
        {"network: []\n", "f.yaml:1: network: there is nothing in the network"},
        {"network:\n  - a: ReLU\n  - a: ReLU\n", "f.yaml:3: network: there is a child 'a' already"},
        {"network:\n  - a/b: ReLU\n", "f.yaml:2: network: 'a/b' is not a child's name: up to 127 characters, no slashes, colons and spaces in it"},
        {"network:\n  - 'archai:x': ReLU\n", "f.yaml:2: network: 'archai:x' is not a child's name: up to 127 characters, no slashes, colons and spaces in it"},
        {"network:\n  - \"a{1 / 2}\": ReLU\n", "f.yaml:2: network: expected a whole number or a text in the name, got 0.5"},
        {"network:\n  - a..b: ReLU\n", "f.yaml:2: a: '' is not a child's name: up to 127 characters, no slashes, colons and spaces in it"},
        {"network:\n  - a: ReLU\n  - a.b: ReLU\n", "f.yaml:3: network: 'a' is a layer and has no children"},
        {"network:\n  - a: [ReLU]\n  - a.b: ReLU\n  - call: a\n", "f.yaml:4: network: call: 'a' is not complete yet"},
        {"network:\n  - a.b: ReLU\n  - call: a\n", "f.yaml:3: network: call: 'a' is not complete yet"},
        {"network:\n  - \"a{[1]}\": ReLU\n", "f.yaml:2: network: expected a whole number or a text in the name, got [1]"},
        {"network:\n  - make: \"'Foo'\"\n",
         "f.yaml:2: network: expected the name of a class, step or block, got 'Foo'"},
        {"network:\n  - a: {make: \"'add'\"}\n", "f.yaml:2: a: add: needs operands"},
        {"network:\n  - a: {make: classes}\n", "f.yaml:2: a: expected the name of a class, step or block, got 10"},
        {"blocks: {b(n): {MaxPool2d: n}}\nnetwork:\n  - make: b\n", "f.yaml:3: network: b: needs 'n'"},
        {"blocks: {b(n): {MaxPool2d: n}}\nnetwork:\n  - make: b\n    args: {first: 3, n: 3}\n",
         "f.yaml:4: network: b: there is no argument 'first'"},
        {"network:\n  - make: MaxPool2d\n    args: {kernel: 3}\n",
         "f.yaml:3: 0: MaxPool2d: there is no argument 'kernel'; did you mean 'kernel_size'?"},
        {"network:\n  - choose: classes + 0.5\n    from: {10: ReLU, 11: ReLU}\n",
         "f.yaml:2: network: choose: 'from' has no 10.5, and there is no 'default'; did you mean '10'?"},
        {"network:\n  - choose: \"'skp'\"\n    from: {skip: ReLU, conv: ReLU}\n",
         "f.yaml:2: network: choose: 'from' has no 'skp', and there is no 'default'; did you mean 'skip'?"},
        {"network:\n  - for: [[1, 2]]\n    as: [a]\n    do: ReLU\n",
         "f.yaml:2: network: for: expected a list of 1 for 'as', got [1, 2]"},
        {"network:\n  - for: -1\n    do: ReLU\n", "f.yaml:2: network: for: expected a list or a number from 0, got -1"},
        {"network:\n  - for: \"'ab'\"\n    do: ReLU\n",
         "f.yaml:2: network: for: expected a list or a number from 0, got 'ab'"},
        {"network:\n  - if: 1 / (classes - 10)\n    then: ReLU\n",
         "f.yaml:2: network: '1 / (classes - 10)': division by zero"},
        {"network:\n  - let: {a: 3}\n  - let: {b: \"a.c\"}\n", "f.yaml:3: network: let: b: 'a.c': 3 has no 'c'"},
        {"network:\n  - MaxPool2d: \"s.shape[1]\"\n  - save: s\n",
         "f.yaml:2: 0: MaxPool2d: kernel_size: 's.shape[1]': nothing was saved as 's' before"},
        {"network:\n  - use: \"s{1}\"\n", "f.yaml:2: network: nothing was saved as 's1' before"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].message != NULL)
            assert_refused(table[i].text, NULL, &small_images, false, table[i].message);
}

/* A parameter that its `when` takes away, and values of a kind that the network does not expect. */
static void parameters_that_do_not_fit_are_named(void **state)
{
    static const char text[] = "parameters: {w: {choice: [1, 2]}, s: {repeat: {k: {choice: [1]}}, times: [1]}}\n"
                               "network:\n"
                               "  - MaxPool2d: w\n"
                               "  - for: s\n"
                               "    do: {MaxPool2d: k}\n";

    (void)state;
    assert_refused(text, "{}", &small_images, false,
                   "f.yaml:3: 0: MaxPool2d: kernel_size: 'w': the parameter 'w' does not exist here");
    assert_refused(text, "{\"w\": 1}", &small_images, false,
                   "f.yaml:4: network: for: 's': the parameter 's' does not exist here");
    assert_refused(text, "{\"w\": 1, \"s\": [{}]}", &small_images, false,
                   "f.yaml:5: 1: MaxPool2d: kernel_size: 'k': the parameter 'k' does not exist here");
    assert_refused(text, "{\"w\": \"a\", \"s\": []}", &small_images, false,
                   "f.yaml:3: 0: MaxPool2d: kernel_size: expected a whole number or two from 1, got 'a'");
    assert_refused(text, "{\"w\": 1, \"s\": {\"k\": 3}}", &small_images, false,
                   "f.yaml:4: network: for: expected a list or a number from 0, got a group of parameters");
}

static void input_must_be_known(void **state)
{
    static const archai_data_shape none, channels = {.channels = 3};
    static const char message[] = "f.yaml: the data do not say what comes in: give "
                                  "'input: {channels: 3, height: 32, width: 32}' or the like";

    (void)state;
    assert_refused("network: ReLU\n", NULL, &none, false, message);
    assert_refused("network: ReLU\n", NULL, &channels, false, message);
    assert_refused("network: [flatten, Linear: classes]\ninput: {features: 3}\n", NULL, &none, false,
                   "f.yaml:1: 0: Linear: out_features: 'classes': the data do not say 'classes': give it in 'input'");
}

static void what_grows_too_large_is_refused(void **state)
{
    static const mistake table[] = {
        {"network:\n  - for: 100001\n    do: ReLU\n", "f.yaml:3: network: more than 100000 modules"},
        {"network:\n  - for: 200001\n    do: flatten\n", "f.yaml:3: network: more than 200000 steps"},
        {"network:\n  - for: 1000\n    do: {for: 1000, do: {for: 1000, do: []}}\n",
         "f.yaml:3: network: too much to compute"},
        {"network:\n  - body: ReLU\n  - for: 30\n    do: [a: [call: body]]\n",
         "f.yaml:4: network: there is a child 'a' already"},
        {"network:\n  - a0: [ReLU, ReLU]\n  - for: 30\n    do: {\"a{index + 1}\": [call: \"a{index}\", call: "
         "\"a{index}\"]}\n",
         "f.yaml:4: a16: call: 'a15': more than 200000 steps"},
        {"blocks:\n  b: [b]\nnetwork: b\n",
         "f.yaml:2: "
         "....0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
         "0.0.0.0.0.0.0.0.0: nested too deeply: does a block call itself without end?"},
        {"blocks:\n  b(t): [inline: {b: t + t}]\nnetwork: [inline: {b: \"'ab'\"}]\n",
         "f.yaml:2: network: b: t: 't + t': a text of more than 4000 characters"},
        {"network:\n  - for: 64\n    do: {Conv2d: {out_channels: \"x.shape[1] ** 2\", kernel_size: 1}}\n",
         "f.yaml:3: 4: Conv2d: out_channels: expected a whole number from 1 to 2147483647, got 1853020188851841"},
        {"network:\n  - for: 10\n    do: {Upsample: {scale_factor: 64}}\n",
         "f.yaml:3: 4: the model is too large to be counted"},
    };

    (void)state;
    REFUSE_ALL(table, false);
}

static void included_files_are_named(void **state)
{
    char dir[TMPDIR_PATH_MAX], path[4200], expected[12800];
    archai_lines *lines = archai_lines_create();
    json_t *document = NULL;
    archai_network_file *f = NULL;
    archai_err err = ARCHAI_ERR_INIT;
    FILE *file;

    (void)state;
    assert_int_equal(tmpdir_create(dir), 0);
    (void)snprintf(path, sizeof path, "%s/blocks.yaml", dir);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("blocks:\n  b:\n    - ReLU\n    - Softmaxx\n", file);
    (void)fclose(file);
    (void)snprintf(expected, sizeof expected,
                   "%s:4: b: there is no class, step or block 'Softmaxx'; did you mean 'Softmax'?", path);
    (void)snprintf(path, sizeof path, "%s/main.yaml", dir);
    assert_int_equal(
        archai_document_parse_lines(path, "include: blocks.yaml\nnetwork: b\n", 32, &document, lines, &err), ARCHAI_OK);
    assert_int_equal(archai_network_file_create(&f, path, document, lines, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, expected);
    /* Any file may be named; one without blocks is a mistake. */
    (void)snprintf(path, sizeof path, "%s/blocks.yaml", dir);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("width: 3\n", file);
    (void)fclose(file);
    (void)snprintf(expected, sizeof expected, "%s:1: include: %s has no 'blocks'", path, path);
    (void)snprintf(path, sizeof path, "%s/main.yaml", dir);
    assert_int_equal(archai_network_file_create(&f, path, document, lines, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, expected);
    archai_lines_destroy(lines);
    json_decref(document);
    tmpdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words_are_named),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(values_without_names_go_to_what_must_be_given),
        cmocka_unit_test(arguments_that_a_block_never_uses_are_named),
        cmocka_unit_test(pytorchs_other_names_are_known),
        cmocka_unit_test(blocks_are_checked),
        cmocka_unit_test(shapes_that_do_not_fit_are_shown),
        cmocka_unit_test(values_that_do_not_fit_are_shown),
        cmocka_unit_test(parameters_that_do_not_fit_are_named),
        cmocka_unit_test(input_must_be_known),
        cmocka_unit_test(what_grows_too_large_is_refused),
        cmocka_unit_test(included_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
