/* Products of few rows with weights in panels of 64 columns, and the whole recurrence of a few sentences. */

/* LANES numbers, as many as a register holds: compilers break longer vectors up badly, through memory. */
typedef float SET(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE SET(vector) SET(widened_f32)(const void *panel, int64_t at) {
    return *(const SET(vector) *)((const float *)panel + at);
}
INLINE SET(vector) SET(widened_f16)(const void *panel, int64_t at) {
    const uint16_t *p = (const uint16_t *)panel + at;
#ifdef WIDEN_F16
    return (SET(vector))WIDEN_F16(p);
#else
    SET(vector) wide;
    for (int k = 0; k < LANES; k++) { /* exact for every finite half: 2^112 moves the exponent into place */
        uint32_t h = p[k];
        float x = SET(bits_to_float)((h & 0x7FFF) << 13) * 5.192296858534828e33f;
        wide[k] = SET(bits_to_float)(SET(float_to_bits)(x) | (h & 0x8000) << 16);
    }
    return wide;
#endif
}
INLINE SET(vector) SET(widened_bf16)(const void *panel, int64_t at) {
    const uint16_t *p = (const uint16_t *)panel + at;
    SET(vector) wide;
    for (int k = 0; k < LANES; k++) wide[k] = SET(bits_to_float)((uint32_t)p[k] << 16);
    return wide;
}

/* ROWS rows of x times VECTORS · LANES columns of a panel. */
#define BLOCK(ROWS, VECTORS, LOAD)                                                                               \
    {                                                                                                   \
        SET(vector) sums[ROWS][VECTORS];                                                                \
        for (int r = 0; r < ROWS; r++)                                                                  \
            for (int v = 0; v < VECTORS; v++) {                                                         \
                sums[r][v] = (SET(vector)){0};                                                          \
                if (add) sums[r][v] += *(const SET(vector) *)(out + (row + r) * outputs + column + LANES * v); \
            }                                                                                           \
        for (int64_t k = 0; k < inputs; k++) {                                                          \
            SET(vector) w[VECTORS];                                                                     \
            for (int v = 0; v < VECTORS; v++) w[v] = LOAD(panel, k * 64 + inside + LANES * v);             \
            for (int r = 0; r < ROWS; r++)                                                              \
                for (int v = 0; v < VECTORS; v++) sums[r][v] += x[(row + r) * inputs + k] * w[v];       \
        }                                                                                               \
        for (int r = 0; r < ROWS; r++)                                                                  \
            for (int v = 0; v < VECTORS; v++)                                                           \
                *(SET(vector) *)(out + (row + r) * outputs + column + LANES * v) = sums[r][v];             \
    }

#define PRODUCT(NAME, LOAD, BYTES)                                                                                 \
    TARGET static void SET(NAME)(int64_t rows, int64_t inputs, int64_t outputs, const float *x, const void *panels, \
                                 int add, float *out) {                                         \
        int64_t columns = rows == 1 ? ROW_COLUMNS : SUB_COLUMNS; /* one row alone: as many sums at a time */       \
        for (int64_t column = 0; column < outputs; column += columns) {                                            \
            const void *panel = (const char *)panels + (column / 64) * 64 * inputs * BYTES;                        \
            int64_t inside = column % 64, row = 0;                                                                 \
            if (rows == 1) {                                                                                       \
                BLOCK(1, ROW_COLUMNS / LANES, LOAD)                                                                \
                continue;                                                                                          \
            }                                                                                                      \
            for (; row + MOST_ROWS <= rows; row += MOST_ROWS) BLOCK(MOST_ROWS, SUB_COLUMNS / LANES, LOAD)          \
            for (; row + 2 <= rows; row += 2) BLOCK(2, SUB_COLUMNS / LANES, LOAD)                                  \
            if (row < rows) BLOCK(1, SUB_COLUMNS / LANES, LOAD)                                                    \
        }                                                                                                          \
    }
PRODUCT(product_f32, SET(widened_f32), 4)
PRODUCT(product_f16, SET(widened_f16), 2)
PRODUCT(product_bf16, SET(widened_bf16), 2)

TARGET static void SET(any_product)(int64_t rows, int64_t inputs, int64_t outputs, const float *x, const void *panels,
                                    int64_t storage, int add, float *out) {
    if (storage == 0)
        SET(product_f32)(rows, inputs, outputs, x, panels, add, out);
    else if (storage == 1)
        SET(product_f16)(rows, inputs, outputs, x, panels, add, out);
    else
        SET(product_bf16)(rows, inputs, outputs, x, panels, add, out);
}

TARGET static void SET(product)(int64_t rows, int64_t inputs, int64_t outputs, const float *x, const void *panels,
                                int64_t storage, float *out) {
    SET(any_product)(rows, inputs, outputs, x, panels, storage, 0, out);
}

TARGET static void SET(infer_steps)(int64_t steps, const int64_t *batch_sizes, int64_t size, int64_t hidden, float *z,
                                    const float *bias, const void *recurrent, const void *projection, int64_t storage, float cell_clip,
                                    float projection_clip, float *h, float *c, float *output, float *room) {
    for (int64_t step = 0; step < steps; step++) {
        int64_t rows = batch_sizes[step];
        SET(any_product)(rows, hidden, 4 * size, h, recurrent, storage, 1, z);
        SET(infer_step_f32)(rows, size, z, NULL, NULL, bias, c, cell_clip, projection ? room : output);
        if (projection) {
            SET(any_product)(rows, size, hidden, room, projection, storage, 0, output);
            for (int64_t j = 0; j < rows * hidden; j++) output[j] = SET(clipped)(output[j], projection_clip);
        }
        memcpy(h, output, (size_t)(rows * hidden) * sizeof(float));
        z += rows * 4 * size;
        output += rows * hidden;
    }
}
#undef BLOCK
#undef PRODUCT
