#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <c10/core/GradMode.h>
#include <torch/version.h>

#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "ext.h"

namespace {

thread_local std::string last_error;

// Runs the body and turns any C++ exception into -1: none may cross into Rust.
template <typename Body> int guarded(Body body) {
    try {
        body();
        return 0;
    } catch (const c10::OutOfMemoryError &error) {
        last_error = error.what_without_backtrace();
        return -2;
    } catch (const c10::Error &error) {
        last_error = error.what_without_backtrace();
    } catch (const std::exception &error) {
        last_error = error.what();
    } catch (...) {
        last_error = "an exception that is no std::exception";
    }
    return -1;
}

std::vector<at::Tensor> list(wf_tensor *tensors, int n) {
    std::vector<at::Tensor> out;
    out.reserve(n);
    for (int i = 0; i < n; ++i)
        out.push_back(*tensors[i]);
    return out;
}

c10::Device device_of(int type, int index) {
    switch (type) {
    case 0:
        return c10::Device(c10::kCPU);
    case 1:
        return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
    case 2:
        return c10::Device(c10::kMPS);
    default:
        TORCH_CHECK(false, "device type ", type, " is none of 0 (CPU), 1 (CUDA), 2 (MPS)");
    }
}

} // namespace

extern "C" {

const char *wf_libtorch_version() { return TORCH_VERSION; }

char *wf_take_error() { return strdup(last_error.c_str()); }

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
        auto mask = at::empty_like(*like).bernoulli_(keep, *generator).div_(keep);
        *out = new at::Tensor(std::move(mask));
    });
}

int wf_fused_adamw(wf_tensor *params, wf_tensor *grads, wf_tensor *exp_avgs, wf_tensor *exp_avg_sqs, int n, wf_tensor step,
                   double learning_rate, double beta1, double beta2, double weight_decay, double eps) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto self = list(params, n);
        auto gradients = list(grads, n);
        auto first = list(exp_avgs, n);
        auto second = list(exp_avg_sqs, n);
        std::vector<at::Tensor> steps(n, *step);
        at::_fused_adamw_(self, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps, learning_rate, beta1, beta2,
                          weight_decay, eps, /*amsgrad=*/false, /*maximize=*/false);
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
