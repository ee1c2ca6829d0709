// SPDX-License-Identifier: MIT
#include "core/checksum.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>

namespace popflow::core {

struct Checksum::State {
    XXH3_state_t xxh3;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
    XXH3_64bits_reset(&state_->xxh3);
}

Checksum::~Checksum() = default;

void Checksum::add_bytes(std::span<const std::byte> bytes) {
    const std::uint64_t size = bytes.size();
    XXH3_64bits_update(&state_->xxh3, &size, sizeof size);
    XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

std::string Checksum::text() const {
    return fmt::format("{:016x}", XXH3_64bits_digest(&state_->xxh3));
}

}  // namespace popflow::core
