/* io/model/onnx/protobuf.h - messages of Protocol Buffers, written field by field into memory.
 *
 * Only what ONNX needs: numbers as varints, floats, and bytes, which texts and messages are, too. A message within a message
 * is made in a buffer of its own and put into the outer one. https://protobuf.dev/programming-guides/encoding/
 */
#ifndef ARCHAI_IO_MODEL_ONNX_PROTOBUF_H
#define ARCHAI_IO_MODEL_ONNX_PROTOBUF_H
#include <stddef.h>
#include <stdint.h>

typedef struct protobuf {
    unsigned char *at; /* owned */
    size_t n, capacity;
} protobuf;

/* Field `number` of the message in p. */
void protobuf_int(protobuf *p, int number, int64_t v);
void protobuf_float(protobuf *p, int number, float v);
void protobuf_bytes(protobuf *p, int number, const void *bytes, size_t n);
void protobuf_text(protobuf *p, int number, const char *text);
void protobuf_message(protobuf *p, int number, protobuf *message); /* empties `message`, which stays usable */
/* The head of a field of n bytes that the caller writes behind it himself. */
void protobuf_head(protobuf *p, int number, size_t n);
void protobuf_append(protobuf *p, const protobuf *fields); /* the fields of another message */
void protobuf_free(protobuf *p); /* safe on a zeroed struct */
#endif
