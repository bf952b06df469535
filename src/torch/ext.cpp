#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ext_common.h"

using wf::device_of;
using wf::guarded;

std::string &wf::last_error() {
    thread_local std::string message;
    return message;
}

namespace {

std::vector<at::Tensor> list(wf_tensor *tensors, int n) {
    std::vector<at::Tensor> out;
    out.reserve(n);
    for (int i = 0; i < n; ++i)
        out.push_back(*tensors[i]);
    return out;
}

std::optional<at::Tensor> optional(wf_tensor tensor) {
    return tensor ? std::optional<at::Tensor>(*tensor) : std::nullopt;
}

// The kernels have an overload for a learning rate that is a tensor; these take numbers.
using FusedAdam = void(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                       double, double, double, double, double, bool, bool, const std::optional<at::Tensor> &,
                       const std::optional<at::Tensor> &);
FusedAdam *const fused_adam = &at::_fused_adam_;
FusedAdam *const fused_adamw = &at::_fused_adamw_;

// Sixteen random bits say well enough whether a value stays; bernoulli_ draws 64 for each, which is a third of a small network's step.
// The share kept is rounded to 1/65536, and the mask's mean stays 1.
void fill_mask(at::Tensor &mask, double keep, at::Generator &generator) {
    constexpr double steps = 65536.0;
    const auto count = mask.numel();
    const auto threshold = static_cast<uint32_t>(std::max(1.0, std::round(keep * steps)));
    const auto kept = static_cast<float>(steps / threshold);
    const auto draws = at::empty({(count + 3) / 4}, mask.options().dtype(at::kLong))
                           .random_(std::numeric_limits<int64_t>::min(), std::nullopt, generator)
                           .view(at::kShort);
    const int16_t *draw = draws.const_data_ptr<int16_t>();
    float *value = mask.mutable_data_ptr<float>();
    for (int64_t i = 0; i < count; ++i)
        value[i] = static_cast<uint16_t>(draw[i]) < threshold ? kept : 0.0F;
}

} // namespace

extern "C" {

const char *wf_libtorch_version() { return TORCH_VERSION; }

int wf_build_config(char **out) {
    return guarded([&] { *out = strdup(at::show_config().c_str()); });
}

char *wf_take_error() { return strdup(wf::last_error().c_str()); }

int wf_code_of_accelerator(int error) {
    switch (error) {
    case 2: // cudaErrorMemoryAllocation
        return -2;
    // Those of which driver_types.h says that the process "must be terminated and relaunched", and the hardware's own.
    case 4:   // cudaErrorCudartUnloading
    case 214: // cudaErrorECCUncorrectable
    case 220: // cudaErrorNvlinkUncorrectable
    case 226: // cudaErrorContained
    case 700: // cudaErrorIllegalAddress
    case 702: // cudaErrorLaunchTimeout
    case 709: // cudaErrorContextIsDestroyed
    case 710: // cudaErrorAssert
    case 714: // cudaErrorHardwareStackError
    case 715: // cudaErrorIllegalInstruction
    case 716: // cudaErrorMisalignedAddress
    case 717: // cudaErrorInvalidAddressSpace
    case 718: // cudaErrorInvalidPc
    case 719: // cudaErrorLaunchFailure
    case 721: // cudaErrorTensorMemoryLeak
    case 810: // cudaErrorMpsClientTerminated
    case 911: // cudaErrorExternalDevice
    case 999: // cudaErrorUnknown
        return -3;
    default:
        return -1;
    }
}

int wf_generator_new(int device_type, int device_index, uint64_t seed, wf_generator *out) {
    return guarded([&] {
        const auto device = device_of(device_type, device_index);
        // A clone of the default generator works for every back end without its headers.
        at::Generator generator;
        if (device.is_cpu()) {
            generator = at::detail::createCPUGenerator(seed);
        } else {
            auto shared = at::globalContext().defaultGenerator(device);
            std::lock_guard<std::mutex> lock(shared.mutex());
            generator = shared.clone();
        }
        generator.set_current_seed(seed);
        *out = new at::Generator(std::move(generator));
    });
}

void wf_generator_free(wf_generator generator) { delete generator; }

int wf_generator_get_state(wf_generator generator, wf_tensor *out) {
    return guarded([&] {
        std::lock_guard<std::mutex> lock(generator->mutex());
        *out = new at::Tensor(generator->get_state());
    });
}

int wf_generator_set_state(wf_generator generator, wf_tensor state) {
    return guarded([&] {
        std::lock_guard<std::mutex> lock(generator->mutex());
        generator->set_state(*state);
    });
}

int wf_dropout_mask(wf_tensor like, double keep, wf_generator generator, wf_tensor *out) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        TORCH_CHECK(keep > 0.0 && keep <= 1.0, "dropout: the share to keep is ", keep, ", expected above 0 and at most 1");
        auto mask = at::empty_like(*like);
        if (mask.is_cpu() && mask.scalar_type() == at::kFloat && mask.is_non_overlapping_and_dense()) {
            fill_mask(mask, keep, *generator);
        } else {
            mask.bernoulli_(keep, *generator).div_(keep);
        }
        *out = new at::Tensor(std::move(mask));
    });
}

int wf_fused_adam(int decoupled, wf_tensor *params, wf_tensor *grads, wf_tensor *exp_avgs, wf_tensor *exp_avg_sqs, int n,
                  wf_tensor step, double learning_rate, double beta1, double beta2, double weight_decay, double eps,
                  wf_tensor grad_scale, wf_tensor found_inf) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto self = list(params, n);
        auto gradients = list(grads, n);
        auto first = list(exp_avgs, n);
        auto second = list(exp_avg_sqs, n);
        std::vector<at::Tensor> steps(n, *step);
        auto *kernel = decoupled ? fused_adamw : fused_adam;
        kernel(self, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps, learning_rate, beta1, beta2, weight_decay,
               eps, /*amsgrad=*/false, /*maximize=*/false, optional(grad_scale), optional(found_inf));
        // As torch.optim does: a step that was skipped is none.
        if (found_inf)
            step->sub_(found_inf->reshape(step->sizes()));
    });
}

int wf_fused_sgd(wf_tensor *params, wf_tensor *grads, wf_tensor *momentum_buffers, int n, double learning_rate,
                 double momentum, double weight_decay, int nesterov, wf_tensor grad_scale, wf_tensor found_inf) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto self = list(params, n);
        auto gradients = list(grads, n);
        std::vector<at::Tensor> buffers;
        if (momentum != 0.0)
            buffers = list(momentum_buffers, n);
        at::_fused_sgd_(self, gradients, buffers, weight_decay, momentum, learning_rate, /*dampening=*/0.0, nesterov != 0,
                        /*maximize=*/false, /*is_first_step=*/false, optional(grad_scale), optional(found_inf));
    });
}

int wf_unscale(wf_tensor *grads, int n, wf_tensor found_inf, wf_tensor inverse_scale) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto gradients = list(grads, n);
        at::_amp_foreach_non_finite_check_and_unscale_(gradients, *found_inf, *inverse_scale);
    });
}

int wf_update_scale(wf_tensor scale, wf_tensor growth_tracker, wf_tensor found_inf, double growth_factor,
                    double backoff_factor, int64_t growth_interval) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        at::_amp_update_scale_(*scale, *growth_tracker, *found_inf, growth_factor, backoff_factor, growth_interval);
    });
}

int wf_clip_grad_norm(wf_tensor *grads, int n, double max_norm, wf_tensor *out) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto gradients = list(grads, n);
        auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
        if (max_norm > 0.0)
            at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1.0));
        *out = new at::Tensor(std::move(norm));
    });
}

} // extern "C"
