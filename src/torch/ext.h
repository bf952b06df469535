// What libtorch has and tch does not expose. Every function returns 0, or after storing a message for wf_take_error:
// -1 for any failure, -2 where memory was short, -3 where the device is lost.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
typedef at::Tensor *wf_tensor;
typedef at::Generator *wf_generator;
typedef wf_meter_state *wf_meter;
typedef wf_autocast_state *wf_autocast;
typedef wf_stream_state *wf_stream;
#else
typedef void *wf_tensor;
typedef void *wf_generator;
typedef void *wf_meter;
typedef void *wf_autocast;
typedef void *wf_stream;
#endif

// The version of the headers this was built with, as in 2.11.0; static.
const char *wf_libtorch_version();

// How the libtorch that runs was built and what it uses of the processor, one fact a line; freed by the caller with free().
int wf_build_config(char **out);

// The message of this thread's last failure; freed by the caller with free().
char *wf_take_error();

// The code for one of CUDA's error numbers (cudaError_t): -2 where memory was short, -3 where no later call on the card can succeed in this
// process, else -1.
int wf_code_of_accelerator(int error);

// A random generator of its own, apart from the device's default one. device_type: 0 CPU, 1 CUDA, 2 MPS.
int wf_generator_new(int device_type, int device_index, uint64_t seed, wf_generator *out);
void wf_generator_free(wf_generator generator);
// The generator's whole state as a CPU byte tensor.
int wf_generator_get_state(wf_generator generator, wf_tensor *out);
int wf_generator_set_state(wf_generator generator, wf_tensor state);

// Starts to count the tensor bytes that this thread, and the backward passes it starts, allocate and free; within another meter both count.
int wf_meter_start(wf_meter *out);
// Bytes allocated since the start that are not freed, and their highest sum since the start or the last reset. Any thread may ask.
void wf_meter_read(wf_meter meter, int device_type, int device_index, int64_t *current, int64_t *peak);
// Makes the present bytes the highest sum, on every device.
void wf_meter_reset_peak(wf_meter meter);
// Ends the count and frees the meter; on the thread that started it.
int wf_meter_stop(wf_meter meter);

// A tensor like `like`, each element 1/keep with probability keep, else 0; on the CPU keep is rounded to 1/65536.
int wf_dropout_mask(wf_tensor like, double keep, wf_generator generator, wf_tensor *out);

// One Adam step on n parameters at once (torch.optim.Adam, fused; decoupled: AdamW): updates params, exp_avgs, exp_avg_sqs in place.
// `step` holds the number of this step, from 1, as a float32 scalar on the parameters' device. grad_scale and found_inf may be null, else
// float32 of one element there: the gradients are divided by the one in place; where the other is 1 nothing is updated and `step` taken back.
int wf_fused_adam(int decoupled, wf_tensor *params, wf_tensor *grads, wf_tensor *exp_avgs, wf_tensor *exp_avg_sqs, int n,
                  wf_tensor step, double learning_rate, double beta1, double beta2, double weight_decay, double eps,
                  wf_tensor grad_scale, wf_tensor found_inf);

// One SGD step on n parameters at once (torch.optim.SGD, fused, dampening 0), in place. Momentum 0 reads no buffers; else they begin as
// zeros, which makes the first step PyTorch's. grad_scale and found_inf as above.
int wf_fused_sgd(wf_tensor *params, wf_tensor *grads, wf_tensor *momentum_buffers, int n, double learning_rate,
                 double momentum, double weight_decay, int nesterov, wf_tensor grad_scale, wf_tensor found_inf);

// Multiplies the gradients by inverse_scale in place, and sets found_inf to 1 where one of them is not finite. Both float32 of one element.
int wf_unscale(wf_tensor *grads, int n, wf_tensor found_inf, wf_tensor inverse_scale);

// What torch.amp.GradScaler.update does: scale (float32) times backoff_factor where found_inf is 1, times growth_factor after growth_interval
// steps without. growth_tracker (int32) counts those. All of one element, in place.
int wf_update_scale(wf_tensor scale, wf_tensor growth_tracker, wf_tensor found_inf, double growth_factor,
                    double backoff_factor, int64_t growth_interval);

// Scales the gradients in place so that their joint 2-norm is at most max_norm (torch.nn.utils.clip_grad_norm_);
// max_norm <= 0 only measures. out: the norm before, a scalar on the device.
int wf_clip_grad_norm(wf_tensor *grads, int n, double max_norm, wf_tensor *out);

// Lets this thread compute on devices of this type in a shorter type where that is safe (torch.autocast). dtype: 0 not at all, 1 float16,
// 2 bfloat16. Casts of weights are not kept from one use to the next.
int wf_autocast_enter(int device_type, int dtype, wf_autocast *out);
// What held before wf_autocast_enter holds again; on the same thread, the youngest first. Frees the handle.
int wf_autocast_leave(wf_autocast autocast);

// Switches of the whole process, as a sum: 1 only repeatable algorithms, 2 in cuDNN too, 4 every new tensor is filled with NaN where 1 is set;
// CUDA may round float32 factors to TensorFloat-32 in 8 products, 16 convolutions, 32 recurrent layers. Called by one thread at a time.
int wf_math_flags_set(int flags);
int wf_math_flags_get(int *flags);

// The caching allocator's sums for one device, of the whole process: bytes in tensors, bytes taken from the driver, and the peak of each.
// All 0 before the device's first tensor. -1 for a device without such an allocator.
int wf_memory_statistics(int device_type, int device_index, int64_t *allocated, int64_t *reserved, int64_t *peak_allocated,
                         int64_t *peak_reserved);
int wf_reset_peak(int device_type, int device_index);
// Gives what no tensor uses back to the driver, on every device of the type.
int wf_empty_cache(int device_type);

// Gives this thread a stream from the device's pool; it starts when what this thread had asked of the device is done.
int wf_stream_enter(int device_type, int device_index, wf_stream *out);
// Waits for the stream, and gives this thread the one it had back; on the same thread, the youngest first. Frees the handle.
int wf_stream_leave(wf_stream stream);
// Waits for what this stream was asked to do.
int wf_stream_synchronize(wf_stream stream);
// Waits for everything the device was asked to do, by any thread.
int wf_synchronize(int device_type, int device_index);

#ifdef __cplusplus
}
#endif
