/* Every kernel: KERNEL(name, (parameters), (arguments)). All matrices are row-major and contiguous. */

/* One step of training. z + from + bias are the gates before their non-linearities, in the order o, i, f, g: z and from
 * (rows, 4C), from may be NULL; bias (4C). c_before (rows, C) may be NULL: zeros. Writes gates (rows, 4C, may be z), cell
 * (rows, C), tanh_cell and mixed = o tanh(c) (rows, C). */
KERNEL(forward_step_f32,
       (int64_t rows, int64_t size, const float *z, const float *from, const float *bias, const float *c_before, float clip, float *gates,
        float *cell, float *tanh_cell, float *mixed),
       (rows, size, z, from, bias, c_before, clip, gates, cell, tanh_cell, mixed))
KERNEL(forward_step_bf16,
       (int64_t rows, int64_t size, const uint16_t *z, const uint16_t *from, const float *bias, const float *c_before, float clip,
        uint16_t *gates, float *cell, uint16_t *tanh_cell, uint16_t *mixed),
       (rows, size, z, from, bias, c_before, clip, gates, cell, tanh_cell, mixed))

/* The same backwards. grad_mixed (rows, C); grad_cell (rows, C) is the gradient of c after the step and becomes that of
 * c before it; gates become their own gradients before the non-linearities; grad_bias (4C) gains their sums. */
KERNEL(backward_step_f32,
       (int64_t rows, int64_t size, const float *grad_mixed, float *grad_cell, float *gates, const float *cell,
        const float *c_before, const float *tanh_cell, float clip, float *grad_bias),
       (rows, size, grad_mixed, grad_cell, gates, cell, c_before, tanh_cell, clip, grad_bias))
KERNEL(backward_step_bf16,
       (int64_t rows, int64_t size, const uint16_t *grad_mixed, float *grad_cell, uint16_t *gates, const float *cell,
        const float *c_before, const uint16_t *tanh_cell, float clip, float *grad_bias),
       (rows, size, grad_mixed, grad_cell, gates, cell, c_before, tanh_cell, clip, grad_bias))

/* grad (count) += more, or zero where |output| reached the clip. more may be NULL. */
KERNEL(output_gradient_f32, (int64_t count, float *grad, const float *more, const float *output, float clip),
       (count, grad, more, output, clip))
KERNEL(output_gradient_bf16, (int64_t count, uint16_t *grad, const uint16_t *more, const uint16_t *output, float clip),
       (count, grad, more, output, clip))

/* One step of inference: z, from and bias as above, cell (rows, C) in place, mixed (rows, C). Row r takes the row places[r]
 * of z, or row r where places is NULL. */
KERNEL(infer_step_f32,
       (int64_t rows, int64_t size, const float *z, const int64_t *places, const float *from, const float *bias, float *cell,
        float clip, float *mixed),
       (rows, size, z, places, from, bias, cell, clip, mixed))
KERNEL(infer_step_bf16,
       (int64_t rows, int64_t size, const uint16_t *z, const int64_t *places, const uint16_t *from, const float *bias, float *cell,
        float clip, uint16_t *mixed),
       (rows, size, z, places, from, bias, cell, clip, mixed))

/* x (rows, inputs) times panels to out (rows, outputs); outputs is a multiple of 64. A panel is 64 columns of the weight,
 * (inputs, 64); storage 0: float32, 1: float16, 2: bfloat16, widened as they are read. */
KERNEL(product,
       (int64_t rows, int64_t inputs, int64_t outputs, const float *x, const void *panels, int64_t storage,
        float *out),
       (rows, inputs, outputs, x, panels, storage, out))

/* All steps of one direction in inference, without a projection where projection is NULL (then hidden = C). z (N, 4C)
 * holds the input product and is overwritten; bias (4C); h (batch, hidden) and c (batch, C) become the final states; output
 * (N, hidden); room (batch, C). */
KERNEL(infer_steps,
       (int64_t steps, const int64_t *batch_sizes, int64_t size, int64_t hidden, float *z, const float *bias, const void *recurrent,
        const void *projection, int64_t storage, float cell_clip, float projection_clip, float *h, float *c,
        float *output, float *room),
       (steps, batch_sizes, size, hidden, z, bias, recurrent, projection, storage, cell_clip, projection_clip, h, c, output,
        room))

/* Cross-entropy of each row of logits (rows, words): losses and log Σ exp (rows). */
KERNEL(cross_entropy_f32,
       (int64_t rows, int64_t words, const float *logits, const int64_t *targets, float *losses, float *log_sums),
       (rows, words, logits, targets, losses, log_sums))
KERNEL(cross_entropy_bf16,
       (int64_t rows, int64_t words, const uint16_t *logits, const int64_t *targets, float *losses, float *log_sums),
       (rows, words, logits, targets, losses, log_sums))

/* Logits become their gradients: (softmax − 1[target]) · grad of the row's loss; grad_bias (words) or NULL gains sums. */
KERNEL(cross_entropy_gradient_f32,
       (int64_t rows, int64_t words, float *logits, const int64_t *targets, const float *log_sums, const float *grad,
        float *grad_bias),
       (rows, words, logits, targets, log_sums, grad, grad_bias))
KERNEL(cross_entropy_gradient_bf16,
       (int64_t rows, int64_t words, uint16_t *logits, const int64_t *targets, const float *log_sums, const float *grad,
        float *grad_bias),
       (rows, words, logits, targets, log_sums, grad, grad_bias))
