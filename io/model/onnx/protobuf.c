#include "io/model/onnx/protobuf.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 }; /* wire types */

static void put(protobuf *p, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    ARCHAI_RESERVE(p->at, p->capacity, p->n + n);
    memcpy(p->at + p->n, bytes, n);
    p->n += n;
}

/* Seven bits a byte, the lowest first. */
static void put_varint(protobuf *p, uint64_t v)
{
    unsigned char bytes[10];
    size_t n = 0;

    do {
        bytes[n] = (unsigned char)(v & 127);
        v >>= 7;
        bytes[n++] |= v != 0 ? 128 : 0;
    } while (v != 0);
    put(p, bytes, n);
}

static void put_tag(protobuf *p, int number, int type)
{
    put_varint(p, (uint64_t)number << 3 | (uint64_t)type);
}

void protobuf_int(protobuf *p, int number, int64_t v)
{
    put_tag(p, number, VARINT);
    put_varint(p, (uint64_t)v);
}

void protobuf_float(protobuf *p, int number, float v)
{
    uint32_t bits;
    unsigned char bytes[4];

    memcpy(&bits, &v, sizeof bits);
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    put_tag(p, number, FIXED32);
    put(p, bytes, sizeof bytes);
}

void protobuf_head(protobuf *p, int number, size_t n)
{
    put_tag(p, number, LENGTH);
    put_varint(p, n);
}

void protobuf_bytes(protobuf *p, int number, const void *bytes, size_t n)
{
    protobuf_head(p, number, n);
    put(p, bytes, n);
}

void protobuf_text(protobuf *p, int number, const char *text)
{
    protobuf_bytes(p, number, text, strlen(text));
}

void protobuf_message(protobuf *p, int number, protobuf *message)
{
    protobuf_bytes(p, number, message->at, message->n);
    message->n = 0;
}

void protobuf_append(protobuf *p, const protobuf *fields)
{
    put(p, fields->at, fields->n);
}

void protobuf_free(protobuf *p)
{
    free(p->at);
    *p = (protobuf){.at = NULL};
}
