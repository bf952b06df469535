// What libtorch has and tch does not expose. Every function returns 0, or after storing a message for wf_take_error:
// -1 for any failure, -2 where memory was short, -3 where the device is lost.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
typedef at::Tensor *wf_tensor;
typedef at::Generator *wf_generator;
#else
typedef void *wf_tensor;
typedef void *wf_generator;
#endif

// The version of the headers this was built with, as in 2.11.0; static.
const char *wf_libtorch_version();

// The message of this thread's last failure; freed by the caller with free().
char *wf_take_error();

// A random generator of its own, apart from the device's default one. device_type: 0 CPU, 1 CUDA, 2 MPS.
int wf_generator_new(int device_type, int device_index, uint64_t seed, wf_generator *out);
void wf_generator_free(wf_generator generator);
// The generator's whole state as a CPU byte tensor.
int wf_generator_get_state(wf_generator generator, wf_tensor *out);
int wf_generator_set_state(wf_generator generator, wf_tensor state);

// A tensor like `like`, each element 1/keep with probability keep, else 0.
int wf_dropout_mask(wf_tensor like, double keep, wf_generator generator, wf_tensor *out);

// One AdamW step on n parameters at once (torch.optim.AdamW, fused): updates params, exp_avgs, exp_avg_sqs in place.
// `step` holds the number of this step, from 1, as a float32 scalar on the parameters' device.
int wf_fused_adamw(wf_tensor *params, wf_tensor *grads, wf_tensor *exp_avgs, wf_tensor *exp_avg_sqs, int n, wf_tensor step,
                   double learning_rate, double beta1, double beta2, double weight_decay, double eps);

// Scales the gradients in place so that their joint 2-norm is at most max_norm (torch.nn.utils.clip_grad_norm_);
// max_norm <= 0 only measures. out: the norm before, a scalar on the device.
int wf_clip_grad_norm(wf_tensor *grads, int n, double max_norm, wf_tensor *out);

#ifdef __cplusplus
}
#endif
