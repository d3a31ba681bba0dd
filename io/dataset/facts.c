/* io/dataset/facts.c - what is said of a data set before it is used. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/number.h"
#include "io/dataset/layout.h"
#include "io/dataset/normalize.h"

const char *archai_targets_text(archai_targets t)
{
    static const char *const texts[ARCHAI_TARGETS_COUNT] = {
        [ARCHAI_TARGETS_CLASS] = "a class",
        [ARCHAI_TARGETS_MASK] = "a class for each pixel",
        [ARCHAI_TARGETS_LABELS] = "several labels",
        [ARCHAI_TARGETS_NUMBERS] = "numbers as targets",
        [ARCHAI_TARGETS_NEXT_TOKEN] = "the next token",
    };

    return (unsigned)t < ARCHAI_TARGETS_COUNT ? texts[t] : "unknown targets";
}

archai_dataset_facts archai_dataset_facts_of(const archai_dataset_source *s, const archai_dataset_plan *p,
                                             int64_t split_off, uint64_t bytes)
{
    archai_dataset_facts f = {.shape = {.channels = p->channels,
                                        .height = p->height,
                                        .width = p->width,
                                        .num_classes = p->num_classes,
                                        .tokens = p->tokens,
                                        .vocab = p->vocab,
                                        .features = p->features},
                              .targets = p->targets,
                              .image_dtype = p->image_dtype,
                              .split_off = split_off,
                              .seed = s->seed,
                              .bytes = bytes};

    memcpy(f.n, p->n, sizeof f.n);
    memcpy(f.note, p->note, sizeof f.note);
    return f;
}

/* As things are: a start looks again, and says what does not fit. */
static bool will_stream(const archai_dataset_source *s, const archai_dataset_plan *p, uint64_t bytes)
{
    archai_err ignored = ARCHAI_ERR_INIT;
    bool streamed = false;

    return archai_dataset_choose(s, p, bytes, &streamed, &ignored) == ARCHAI_OK && streamed;
}

int archai_dataset_probe(const archai_dataset_source *s, archai_dataset_facts *out, archai_err *err)
{
    archai_dataset_plan p = {0};
    archai_dataset_header h;
    int64_t split_off = 0;

    ARCHAI_TRY(archai_dataset_plan_make(s, &p, &split_off, err));
    ARCHAI_TRY(archai_dataset_lay_out(&p, &h, err));
    *out = archai_dataset_facts_of(s, &p, split_off, h.bytes);
    out->streamed = will_stream(s, &p, h.bytes);
    if (out->streamed && p.together > 1 && out->note[0] == '\0')
        (void)snprintf(out->note, sizeof out->note,
                       "%" PRId64 " are unpacked to read one: a file with a chunk for each, or without "
                       "compression, is read faster",
                       p.together);
    ARCHAI_TRY(archai_dataset_normalize_fits(s, out, err));
    return archai_dataset_augment_fits(s, out, p.ignore_index, err);
}

static void put_targets(const archai_dataset_facts *f, FILE *out)
{
    switch (f->targets) {
    case ARCHAI_TARGETS_CLASS:
        (void)fprintf(out, "%d classes", f->shape.num_classes);
        break;
    case ARCHAI_TARGETS_MASK:
        (void)fprintf(out, "%d classes for each pixel", f->shape.num_classes);
        break;
    case ARCHAI_TARGETS_LABELS:
        (void)fprintf(out, "%d labels, each there or not", f->shape.num_classes);
        break;
    case ARCHAI_TARGETS_NUMBERS:
        (void)fprintf(out, "%d number%s as target%s", f->shape.num_classes,
                      f->shape.num_classes == 1 ? "" : "s", f->shape.num_classes == 1 ? "" : "s");
        break;
    default:
        (void)fprintf(out, "a vocabulary of %d", f->shape.vocab);
    }
}

/* Pictures that someone stored as [N,H,W,C] look like this. */
static bool looks_transposed(const archai_data_shape *s)
{
    return (s->width == 1 && s->height == s->channels && s->height > 4) ||
           ((s->width == 3 || s->width == 4) && s->height > 4 && s->channels > 4);
}

const char *archai_dataset_sentence(const archai_dataset_facts *f,
                                    char text[ARCHAI_DATASET_SENTENCE])
{
    const archai_data_shape *s = &f->shape;
    const char *dtype = archai_dtype_name(f->image_dtype);
    FILE *out = fmemopen(text, ARCHAI_DATASET_SENTENCE, "w");
    char bytes[ARCHAI_BYTES_TEXT];

    text[0] = '\0';
    if (out == NULL)
        return text;
    (void)fprintf(out, "%" PRId64 " %s to train on, %" PRId64 " to validate on",
                  f->n[ARCHAI_SPLIT_TRAIN],
                  s->tokens > 0     ? "sequences"
                  : s->features > 0 ? "rows"
                                    : "pictures",
                  f->n[ARCHAI_SPLIT_VAL]);
    if (f->n[ARCHAI_SPLIT_TEST] > 0)
        (void)fprintf(out, ", %" PRId64 " to test", f->n[ARCHAI_SPLIT_TEST]);
    if (s->tokens > 0)
        (void)fprintf(out, "; each %d tokens (%s), ", s->tokens, dtype);
    else if (s->features > 0)
        (void)fprintf(out, "; each %d number%s (%s), ", s->features, s->features == 1 ? "" : "s",
                      dtype);
    else
        (void)fprintf(out, "; each %d x %d x %d (%s), ", s->channels, s->height, s->width, dtype);
    put_targets(f, out);
    (void)fputs("; ", out);
    archai_format_bytes((double)f->bytes, bytes);
    (void)fprintf(out, f->streamed ? "%s, read while training" : "%s on each node", bytes);
    if (looks_transposed(s))
        (void)fprintf(out,
                      "; %d channels of %d x %d pixels: a file with [N,H,W,C] must be transposed to "
                      "[N,C,H,W]",
                      s->channels, s->height, s->width);
    if (f->note[0] != '\0')
        (void)fprintf(out, "; %s", f->note);
    (void)fclose(out);
    return text;
}
