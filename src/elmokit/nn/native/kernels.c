/* The arithmetic between the matrix products of an LSTM step and of a softmax, each in one pass over memory.
 *
 * A plain C interface over raw pointers, called through ctypes (library.py). It links with nothing but libc, and every
 * function is a pure function of its arguments, so any thread may call any of them.
 *
 * kernel_bodies.h is compiled once per instruction set; `choose` picks the best one that the processor has, so one
 * library serves every processor of its platform.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are passed between inlined functions only */

#define EXPORT __attribute__((visibility("default")))
#define ABI_VERSION 2 /* raised with every change of a signature; library.py expects the same number */

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

#ifdef __clang__
#define WIDE
#else
#define WIDE ",prefer-vector-width=512"
#endif

#define SET(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c" WIDE)))
#define LANES 16
#define ROW_COLUMNS 64
#define SUB_COLUMNS 64
#define MOST_ROWS 6
#define WIDEN_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#include "kernel_bodies.h"
#undef SET
#undef TARGET
#undef LANES
#undef ROW_COLUMNS
#undef SUB_COLUMNS
#undef MOST_ROWS
#undef WIDEN_F16

#define SET(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define LANES 8
#define ROW_COLUMNS 64
#define SUB_COLUMNS 16
#define MOST_ROWS 6
#define WIDEN_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#include "kernel_bodies.h"
#undef SET
#undef TARGET
#undef LANES
#undef ROW_COLUMNS
#undef SUB_COLUMNS
#undef MOST_ROWS
#undef WIDEN_F16
#define HAVE_X86_SETS
#endif

#define SET(name) name##_baseline
#define TARGET
#define LANES 4
#define ROW_COLUMNS 32
#define SUB_COLUMNS 8
#define MOST_ROWS 4
#include "kernel_bodies.h"

typedef struct {
    const char *name;
#define KERNEL(name, parameters, arguments) void(*name) parameters;
#include "kernel_list.h"
#undef KERNEL
} Table;

#define KERNEL(name, parameters, arguments) .name = name##_avx512,
#ifdef HAVE_X86_SETS
static const Table avx512 = {.name = "AVX-512",
#include "kernel_list.h"
};
#undef KERNEL
#define KERNEL(name, parameters, arguments) .name = name##_avx2,
static const Table avx2 = {.name = "AVX2",
#include "kernel_list.h"
};
#endif
#undef KERNEL
#define KERNEL(name, parameters, arguments) .name = name##_baseline,
static const Table baseline = {.name = "baseline",
#include "kernel_list.h"
};
#undef KERNEL

static const Table *table = &baseline;

#ifdef HAVE_X86_SETS
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
#endif

__attribute__((constructor)) static void choose(void) {
#ifdef HAVE_X86_SETS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        table = &avx512;
    else if (has_avx2())
        table = &avx2;
#endif
}

EXPORT const char *elmokit_instruction_set(void) { return table->name; }
EXPORT int elmokit_abi(void) { return ABI_VERSION; }

/* For the tests: use "baseline", "AVX2" or "AVX-512" from now on. Returns 0 where the processor lacks it. */
EXPORT int elmokit_use(const char *name) {
    if (strcmp(name, "baseline") == 0) {
        table = &baseline;
        return 1;
    }
    choose();
#ifdef HAVE_X86_SETS
    if (strcmp(name, "AVX2") == 0 && has_avx2()) table = &avx2;
#endif
    return strcmp(name, table->name) == 0;
}

#define KERNEL(name, parameters, arguments) \
    EXPORT void elmokit_##name parameters { table->name arguments; }
#include "kernel_list.h"
