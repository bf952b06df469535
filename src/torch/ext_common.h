// What the C++ files beside tch share: errors that do not cross into Rust, and devices by number.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <exception>
#include <string>

struct wf_meter_state;
struct wf_autocast_state;
struct wf_stream_state;

#include "ext.h"

namespace wf {

// The message of this thread's last failure.
std::string &last_error();

// Runs the body and turns any C++ exception into one of ext.h's codes: none may cross into Rust.
template <typename Body> int guarded(Body body) {
    try {
        body();
        return 0;
    } catch (const c10::OutOfMemoryError &error) {
        last_error() = error.what_without_backtrace();
        return -2;
    } catch (const c10::AcceleratorError &error) {
        last_error() = error.what_without_backtrace();
        return wf_code_of_accelerator(error.get_error_code());
    } catch (const c10::Error &error) {
        last_error() = error.what_without_backtrace();
    } catch (const std::exception &error) {
        last_error() = error.what();
    } catch (...) {
        last_error() = "an exception that is no std::exception";
    }
    return -1;
}

// ext.h's pair of numbers as libtorch names the device.
inline c10::Device device_of(int type, int index) {
    switch (type) {
    case 0:
        return c10::Device(c10::kCPU);
    case 1:
        return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
    case 2:
        return c10::Device(c10::kMPS, 0);
    default:
        TORCH_CHECK(false, "device type ", type, " is none of 0 (CPU), 1 (CUDA), 2 (MPS)");
    }
}

} // namespace wf
