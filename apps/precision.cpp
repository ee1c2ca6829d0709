// SPDX-License-Identifier: MIT
#include "precision.hpp"

#include <array>

#include "linalg/precision.hpp"
#include "run_folder.hpp"
#include "train/checkpoint_folder.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

using options::PrecisionChoice;

// Returns the precision of the run that is resumed.
PrecisionChoice precision_of(const train::Checkpoint& checkpoint) {
    options::RunConfig before;
    run_options(before).parse_text(checkpoint.config, "checkpoint.h5");
    return before.precision;
}

}  // namespace

void resolve_precision(options::RunConfig& config, const mpi::Communicator& comm) {
    if (config.precision == PrecisionChoice::automatic && config.resume) {
        if (const auto found = train::newest_checkpoint(config.output))
            config.precision = precision_of(found->checkpoint);
    }
    if (!config.method->supports_bf16()) {
        if (config.precision == PrecisionChoice::bf16)
            throw core::ConfigError("precision", "found 'bf16', which method " + config.method->name() +
                                                     " does not support. Use --precision fp32 or auto");
        config.precision = PrecisionChoice::fp32;
    }
    std::array<double, 1> without{linalg::cpu_has_bf16() ? 0.0 : 1.0};
    comm.sum(std::span<double>(without));
    if (config.precision == PrecisionChoice::automatic) {
        config.precision = without[0] > 0 ? PrecisionChoice::fp32 : PrecisionChoice::bf16;
    }
    if (config.precision == PrecisionChoice::bf16 && without[0] > 0) {
        throw core::ConfigError("precision",
                                "found 'bf16', but the CPU of a rank has neither AVX512_BF16 nor AMX. Use "
                                "--precision fp32 or auto");
    }
}

}  // namespace popflow::apps
