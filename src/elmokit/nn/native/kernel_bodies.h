/* The kernels for one instruction set: SET(name) names them, TARGET enables the instructions. Loops are written for the
 * compiler to vectorise: no branches, no calls that are not inlined. */

#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE float SET(bits_to_float)(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
INLINE uint32_t SET(float_to_bits)(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}
INLINE float SET(read_f32)(float x) { return x; }
INLINE float SET(write_f32)(float x) { return x; }
INLINE float SET(read_bf16)(uint16_t x) { return SET(bits_to_float)((uint32_t)x << 16); }
/* Rounded to nearest, ties to even. A NaN of the processor keeps its quiet bit, so it stays a NaN. */
INLINE uint16_t SET(write_bf16)(float x) {
    uint32_t bits = SET(float_to_bits)(x);
    return (uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/* e^x to about one unit in the last place: 2^n times Cephes' polynomial for e^r, |r| <= ln 2 / 2. Between −87 and 88;
 * beyond these it stays at what it is there. */
INLINE float SET(exponential)(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504088896341f + 12582912.0f; /* 1.5 · 2^23: its last bits are n */
    float n = shifted - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts, the first one exact */
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return SET(bits_to_float)(SET(float_to_bits)(p) + (SET(float_to_bits)(shifted) << 23));
}
INLINE float SET(sigmoid)(float x) { return 1.0f / (1.0f + SET(exponential)(-x)); }
INLINE float SET(hyperbolic)(float x) { return 1.0f - 2.0f / (1.0f + SET(exponential)(2.0f * x)); }
INLINE float SET(clipped)(float x, float clip) {
    x = x > clip ? clip : x;
    return x < -clip ? -clip : x;
}

#define TYPE float
#define NAME(name) SET(name##_f32)
#define READ SET(read_f32)
#define WRITE SET(write_f32)
#include "typed_bodies.h"
#undef TYPE
#undef NAME
#undef READ
#undef WRITE

#define TYPE uint16_t
#define NAME(name) SET(name##_bf16)
#define READ SET(read_bf16)
#define WRITE SET(write_bf16)
#include "typed_bodies.h"
#undef TYPE
#undef NAME
#undef READ
#undef WRITE

#include "products.h"
#undef INLINE
