// State that libtorch keeps by thread, by device or for the whole process.
#include <c10/core/Allocator.h>
#include <c10/util/Flags.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>
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
    std::unordered_map<void *, int64_t> blocks_;
};

} // namespace

struct wf_meter_state {
    std::shared_ptr<Meter> meter;
};

extern "C" {

int wf_meter_start(wf_meter *out) {
    return guarded([&] {
        // At its default level libtorch writes to standard error that a tensor older than the meter was freed. That is no news.
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

} // extern "C"
