// State that libtorch keeps by thread, by device or for the whole process.
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Flags.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <c10/util/flat_hash_map.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "ext_common.h"

C10_DECLARE_int(caffe2_log_level);

using wf::device_of;
using wf::guarded;

namespace {

constexpr auto PROFILER = c10::DebugInfoKind::PROFILER_STATE;

// Adds up what libtorch's allocators report for the threads that carry it: the one that started it, and the backward pass's on its behalf.
class Meter final : public c10::MemoryReportingInfoBase {
  public:
    explicit Meter(std::shared_ptr<Meter> outer) : outer_(std::move(outer)) {}

    void reportMemoryUsage(void *pointer, int64_t size, size_t total_allocated, size_t total_reserved,
                           c10::Device device) override {
        if (outer_)
            outer_->reportMemoryUsage(pointer, size, total_allocated, total_reserved, device);
        std::lock_guard<std::mutex> lock(mutex_);
        if (!active_)
            return;
        auto &bytes = of(device);
        // What this address held before: freed here, or by a thread that is not counted, if it comes back.
        auto known = blocks_.find(pointer);
        if (known != blocks_.end()) {
            bytes.current -= known->second;
            blocks_.erase(known);
        }
        if (size > 0) {
            blocks_.emplace(pointer, size);
            bytes.current += size;
            bytes.peak = std::max(bytes.peak, bytes.current);
        }
    }

    bool memoryProfilingEnabled() const override { return active_ || (outer_ && outer_->memoryProfilingEnabled()); }

    void read(c10::Device device, int64_t *current, int64_t *peak) {
        std::lock_guard<std::mutex> lock(mutex_);
        const auto &bytes = of(device);
        *current = bytes.current;
        *peak = bytes.peak;
    }

    void reset_peak() {
        std::lock_guard<std::mutex> lock(mutex_);
        for (auto &bytes : devices_)
            bytes.peak = bytes.current;
    }

    // Takes the meter, and those above it that ended earlier, off this thread. One that ended out of turn stays until those above it have.
    void stop() {
        active_ = false;
        while (auto *top = dynamic_cast<Meter *>(c10::ThreadLocalDebugInfo::get(PROFILER))) {
            if (top->active_)
                break;
            c10::ThreadLocalDebugInfo::_pop(PROFILER);
        }
    }

  private:
    struct Counted {
        c10::Device device;
        int64_t current = 0;
        int64_t peak = 0;
    };

    Counted &of(c10::Device device) {
        // Only CUDA has more than one; the others are reported with and without an index.
        const auto same = [&](const Counted &counted) {
            return counted.device.type() == device.type() && (!device.is_cuda() || counted.device == device);
        };
        auto found = std::find_if(devices_.begin(), devices_.end(), same);
        return found != devices_.end() ? *found : devices_.emplace_back(Counted{device});
    }

    std::shared_ptr<Meter> outer_;
    std::atomic<bool> active_ = true;
    std::mutex mutex_;
    std::vector<Counted> devices_;
    // Sizes by address, so that the end of a tensor older than the meter is not subtracted.
    ska::flat_hash_map<void *, int64_t> blocks_;
};

} // namespace

struct wf_meter_state {
    std::shared_ptr<Meter> meter;
};

struct wf_autocast_state {
    c10::DeviceType type;
    bool enabled;
    c10::ScalarType dtype;
    bool cached;
};

struct wf_stream_state {
    c10::impl::VirtualGuardImpl device;
    c10::Stream own;
    c10::Stream before;
};

namespace {

// In the order of ext.h's flags.
constexpr at::Float32Op TF32_OPS[] = {at::Float32Op::MATMUL, at::Float32Op::CONV, at::Float32Op::RNN};

// Null where the device has not allocated anything yet, or does not exist.
c10::DeviceAllocator *allocator_of(c10::Device device) {
    auto *allocator = c10::getDeviceAllocator(device.type());
    const c10::impl::VirtualGuardImpl guard(device.type());
    return allocator->initialized() && device.index() < guard.deviceCount() ? allocator : nullptr;
}

} // namespace

extern "C" {

int wf_meter_start(wf_meter *out) {
    return guarded([&] {
        // At its default level libtorch writes to standard error, again and again, that a tensor older than the meter was freed. That is no
        // news. There is no narrower switch: from the first meter on, libtorch's other warnings are not written either, its errors are.
        static std::once_flag quiet;
        std::call_once(quiet, [] { FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 2); });
        std::shared_ptr<Meter> outer;
        if (dynamic_cast<Meter *>(c10::ThreadLocalDebugInfo::get(PROFILER)))
            outer = std::dynamic_pointer_cast<Meter>(c10::ThreadLocalDebugInfo::_peek(PROFILER));
        auto meter = std::make_shared<Meter>(std::move(outer));
        c10::ThreadLocalDebugInfo::_push(PROFILER, meter);
        *out = new wf_meter_state{std::move(meter)};
    });
}

void wf_meter_read(wf_meter meter, int device_type, int device_index, int64_t *current, int64_t *peak) {
    *current = *peak = 0;
    guarded([&] { meter->meter->read(device_of(device_type, device_index), current, peak); });
}

void wf_meter_reset_peak(wf_meter meter) { meter->meter->reset_peak(); }

int wf_meter_stop(wf_meter meter) {
    const int code = guarded([&] { meter->meter->stop(); });
    delete meter;
    return code;
}

int wf_autocast_enter(int device_type, int dtype, wf_autocast *out) {
    return guarded([&] {
        const auto type = device_of(device_type, 0).type();
        TORCH_CHECK(dtype >= 0 && dtype <= 2, "autocast type ", dtype, " is none of 0, 1, 2");
        *out = new wf_autocast_state{type, at::autocast::is_autocast_enabled(type), at::autocast::get_autocast_dtype(type),
                                     at::autocast::is_autocast_cache_enabled()};
        at::autocast::set_autocast_enabled(type, dtype != 0);
        if (dtype != 0)
            at::autocast::set_autocast_dtype(type, dtype == 1 ? c10::kHalf : c10::kBFloat16);
        // The cache is one for all threads, and whoever leaves last of its own thread empties it for everybody. Whether two uses of a weight
        // share one cast decides how their gradients are summed: results would depend on what other tasks do.
        at::autocast::set_autocast_cache_enabled(false);
        at::autocast::increment_nesting();
    });
}

int wf_autocast_leave(wf_autocast autocast) {
    const auto before = *autocast;
    delete autocast;
    return guarded([&] {
        if (at::autocast::decrement_nesting() == 0)
            at::autocast::clear_cache();
        at::autocast::set_autocast_cache_enabled(before.cached);
        at::autocast::set_autocast_dtype(before.type, before.dtype);
        at::autocast::set_autocast_enabled(before.type, before.enabled);
    });
}

int wf_math_flags_set(int flags) {
    return guarded([&] {
        auto &context = at::globalContext();
        context.setDeterministicAlgorithms((flags & 1) != 0, /*warn_only=*/false);
        context.setDeterministicCuDNN((flags & 2) != 0);
        context.setDeterministicFillUninitializedMemory((flags & 4) != 0);
        for (int i = 0; i < 3; ++i) {
            const auto precision = flags & (8 << i) ? at::Float32Precision::TF32 : at::Float32Precision::IEEE;
            context.setFloat32Precision(at::Float32Backend::CUDA, TF32_OPS[i], precision);
        }
    });
}

int wf_math_flags_get(int *flags) {
    return guarded([&] {
        const auto &context = at::globalContext();
        *flags = context.deterministicAlgorithms() | context.deterministicCuDNN() << 1 |
                 context.deterministicFillUninitializedMemory() << 2;
        for (int i = 0; i < 3; ++i) {
            const auto precision = context.float32Precision(at::Float32Backend::CUDA, TF32_OPS[i]);
            *flags |= (precision == at::Float32Precision::TF32) << (3 + i);
        }
    });
}

int wf_memory_statistics(int device_type, int device_index, int64_t *allocated, int64_t *reserved, int64_t *peak_allocated,
                         int64_t *peak_reserved) {
    *allocated = *reserved = *peak_allocated = *peak_reserved = 0;
    return guarded([&] {
        const auto device = device_of(device_type, device_index);
        auto *allocator = allocator_of(device);
        if (!allocator)
            return;
        const auto statistics = allocator->getDeviceStats(device.index());
        const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
        *allocated = statistics.allocated_bytes[all].current;
        *reserved = statistics.reserved_bytes[all].current;
        *peak_allocated = statistics.allocated_bytes[all].peak;
        *peak_reserved = statistics.reserved_bytes[all].peak;
    });
}

int wf_reset_peak(int device_type, int device_index) {
    return guarded([&] {
        const auto device = device_of(device_type, device_index);
        if (auto *allocator = allocator_of(device))
            allocator->resetPeakStats(device.index());
    });
}

int wf_empty_cache(int device_type) {
    return guarded([&] {
        if (auto *allocator = allocator_of(device_of(device_type, 0)))
            allocator->emptyCache();
    });
}

int wf_stream_enter(int device_type, int device_index, wf_stream *out) {
    return guarded([&] {
        const auto device = device_of(device_type, device_index);
        const c10::impl::VirtualGuardImpl guard(device.type());
        TORCH_CHECK(device.index() < guard.deviceCount(), "there is no device ", device);
        const auto before = guard.getStream(device);
        guard.synchronizeStream(before);
        const auto own = guard.getStreamFromGlobalPool(device);
        auto state = std::make_unique<wf_stream_state>(wf_stream_state{guard, own, before});
        guard.exchangeStream(own);
        *out = state.release();
    });
}

int wf_stream_leave(wf_stream stream) {
    const std::unique_ptr<wf_stream_state> state(stream);
    const int code = guarded([&] { state->device.synchronizeStream(state->own); });
    const int restored = guarded([&] { state->device.exchangeStream(state->before); });
    return code ? code : restored;
}

int wf_stream_synchronize(wf_stream stream) {
    return guarded([&] { stream->device.synchronizeStream(stream->own); });
}

int wf_synchronize(int device_type, int device_index) {
    return guarded([&] {
        const auto device = device_of(device_type, device_index);
        const c10::impl::VirtualGuardImpl guard(device.type());
        TORCH_CHECK(device.index() < guard.deviceCount(), "there is no device ", device);
        guard.synchronizeDevice(device.index());
    });
}

} // extern "C"
