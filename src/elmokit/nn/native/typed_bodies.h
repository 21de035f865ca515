/* The kernels that exist for float32 and for bfloat16: TYPE is stored, arithmetic is in float32. */

TARGET static void NAME(forward_step)(int64_t rows, int64_t size, const TYPE *z, const TYPE *from,
                                      const float *bias, const float *c_before, float clip, TYPE *gates, float *cell, TYPE *tanh_cell,
                                      TYPE *mixed) {
    for (int64_t row = 0; row < rows; row++) {
        const TYPE *zr = z + row * 4 * size, *fr = from ? from + row * 4 * size : NULL;
        TYPE *gr = gates + row * 4 * size, *tr = tanh_cell + row * size, *mr = mixed + row * size;
        const float *before = c_before ? c_before + row * size : NULL;
        float *cr = cell + row * size;
#define STEP(FROM, BEFORE)                                                         \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < size; j++) {                      \
        float o = SET(sigmoid)(READ(zr[j]) + FROM(j) + bias[j]);                             \
        float i = SET(sigmoid)(READ(zr[size + j]) + FROM(size + j) + bias[size + j]);               \
        float f = SET(sigmoid)(READ(zr[2 * size + j]) + FROM(2 * size + j) + bias[2 * size + j]);       \
        float g = SET(hyperbolic)(READ(zr[3 * size + j]) + FROM(3 * size + j) + bias[3 * size + j]);    \
        float c = SET(clipped)(f * BEFORE + i * g, clip);                          \
        float t = SET(hyperbolic)(c);                                              \
        gr[j] = WRITE(o), gr[size + j] = WRITE(i);                                 \
        gr[2 * size + j] = WRITE(f), gr[3 * size + j] = WRITE(g);                  \
        cr[j] = c, tr[j] = WRITE(t), mr[j] = WRITE(o * t);                         \
    }
#define NOTHING(j) 0.0f
#define ADDED(j) READ(fr[j])
        if (fr && before) {
            STEP(ADDED, before[j])
        } else if (fr) {
            STEP(ADDED, 0.0f)
        } else if (before) {
            STEP(NOTHING, before[j])
        } else {
            STEP(NOTHING, 0.0f)
        }
#undef STEP
    }
}

TARGET static void NAME(backward_step)(int64_t rows, int64_t size, const TYPE *grad_mixed, float *grad_cell,
                                       TYPE *gates, const float *cell, const float *c_before, const TYPE *tanh_cell,
                                       float clip, float *grad_bias) {
    for (int64_t row = 0; row < rows; row++) {
        TYPE *gr = gates + row * 4 * size;
        const TYPE *dm = grad_mixed + row * size, *tr = tanh_cell + row * size;
        const float *cr = cell + row * size, *before = c_before ? c_before + row * size : NULL;
        float *dcr = grad_cell + row * size;
#define STEP(BEFORE)                                                                    \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < size; j++) {                           \
        float o = READ(gr[j]), i = READ(gr[size + j]);                                  \
        float f = READ(gr[2 * size + j]), g = READ(gr[3 * size + j]);                   \
        float m = READ(dm[j]), t = READ(tr[j]), c = cr[j];                              \
        float open = ((c < clip) & (c > -clip)) ? 1.0f : 0.0f;                           \
        float dc = (dcr[j] + m * o * (1.0f - t * t)) * open;                            \
        float d_o = m * t * o * (1.0f - o), d_i = dc * g * i * (1.0f - i);              \
        float d_f = dc * (BEFORE) * f * (1.0f - f), d_g = dc * i * (1.0f - g * g);      \
        gr[j] = WRITE(d_o), gr[size + j] = WRITE(d_i);                                  \
        gr[2 * size + j] = WRITE(d_f), gr[3 * size + j] = WRITE(d_g);                   \
        grad_bias[j] += d_o, grad_bias[size + j] += d_i;                                \
        grad_bias[2 * size + j] += d_f, grad_bias[3 * size + j] += d_g;                 \
        dcr[j] = dc * f;                                                                \
    }
        if (before) {
            STEP(before[j])
        } else {
            STEP(0.0f)
        }
#undef STEP
    }
}

TARGET static void NAME(output_gradient)(int64_t count, TYPE *grad, const TYPE *more, const TYPE *output, float clip) {
#define OPEN(x) ((((x) < clip) & ((x) > -clip)) ? 1.0f : 0.0f)
    if (more) {
#pragma GCC ivdep
        for (int64_t j = 0; j < count; j++) {
            float h = READ(output[j]);
            grad[j] = WRITE((READ(grad[j]) + READ(more[j])) * OPEN(h));
        }
    } else {
#pragma GCC ivdep
        for (int64_t j = 0; j < count; j++) {
            float h = READ(output[j]);
            grad[j] = WRITE(READ(grad[j]) * OPEN(h));
        }
    }
#undef OPEN
}

TARGET static void NAME(infer_step)(int64_t rows, int64_t size, const TYPE *z, const int64_t *places, const TYPE *from,
                                    const float *bias, float *cell, float clip, TYPE *mixed) {
    for (int64_t row = 0; row < rows; row++) {
        const TYPE *zr = z + (places ? places[row] : row) * 4 * size, *fr = from ? from + row * 4 * size : NULL;
        float *cr = cell + row * size;
        TYPE *mr = mixed + row * size;
#define STEP(FROM)                                                                 \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < size; j++) {                      \
        float o = SET(sigmoid)(READ(zr[j]) + FROM(j) + bias[j]);                             \
        float i = SET(sigmoid)(READ(zr[size + j]) + FROM(size + j) + bias[size + j]);               \
        float f = SET(sigmoid)(READ(zr[2 * size + j]) + FROM(2 * size + j) + bias[2 * size + j]);       \
        float g = SET(hyperbolic)(READ(zr[3 * size + j]) + FROM(3 * size + j) + bias[3 * size + j]);    \
        float c = SET(clipped)(f * cr[j] + i * g, clip);                           \
        cr[j] = c, mr[j] = WRITE(o * SET(hyperbolic)(c));                          \
    }
        if (fr) {
            STEP(ADDED)
        } else {
            STEP(NOTHING)
        }
#undef STEP
    }
}
#undef NOTHING
#undef ADDED

TARGET static void NAME(cross_entropy)(int64_t rows, int64_t words, const TYPE *logits, const int64_t *targets,
                                       float *losses, float *log_sums) {
    for (int64_t row = 0; row < rows; row++) {
        const TYPE *l = logits + row * words;
        float most = READ(l[0]), sum = 0.0f;
        int64_t j = 0;
        if (words >= 32) { /* 32 maxima and sums at a time, in registers */
            float highest[32], sums[32];
            for (int k = 0; k < 32; k++) highest[k] = most, sums[k] = 0.0f;
            for (; j + 32 <= words; j += 32)
                for (int k = 0; k < 32; k++) {
                    float x = READ(l[j + k]);
                    highest[k] = x > highest[k] ? x : highest[k];
                }
            for (int k = 0; k < 32; k++) most = highest[k] > most ? highest[k] : most;
            for (int64_t i = j; i < words; i++) most = READ(l[i]) > most ? READ(l[i]) : most;
            for (int64_t i = 0; i < j; i += 32)
                for (int k = 0; k < 32; k++) sums[k] += SET(exponential)(READ(l[i + k]) - most);
            for (int k = 0; k < 32; k++) sum += sums[k];
        } else {
            for (int64_t i = 0; i < words; i++) most = READ(l[i]) > most ? READ(l[i]) : most;
        }
        for (; j < words; j++) sum += SET(exponential)(READ(l[j]) - most);
        log_sums[row] = most + logf(sum);
        losses[row] = log_sums[row] - READ(l[targets[row]]);
    }
}

TARGET static void NAME(cross_entropy_gradient)(int64_t rows, int64_t words, TYPE *logits, const int64_t *targets,
                                                const float *log_sums, const float *grad, float *grad_bias) {
    for (int64_t row = 0; row < rows; row++) {
        TYPE *l = logits + row * words;
        float log_sum = log_sums[row], scale = grad[row];
        float at_target = (SET(exponential)(READ(l[targets[row]]) - log_sum) - 1.0f) * scale;
        if (grad_bias) {
            grad_bias[targets[row]] -= scale;
#pragma GCC ivdep
            for (int64_t j = 0; j < words; j++) {
                float d = SET(exponential)(READ(l[j]) - log_sum) * scale;
                l[j] = WRITE(d), grad_bias[j] += d;
            }
        } else {
#pragma GCC ivdep
            for (int64_t j = 0; j < words; j++) l[j] = WRITE(SET(exponential)(READ(l[j]) - log_sum) * scale);
        }
        l[targets[row]] = WRITE(at_target);
    }
}
