// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "models/fixed_encoder.hpp"

namespace popflow::models {

/// Returns all kinds of fixed encoders in the order of the help. A new one needs a line in
/// fixed_encoders.cpp.
std::span<const FixedEncoderKind* const> fixed_encoders();

/// Encoder of the value of `--encoder`.
struct EncoderChoice {
    const FixedEncoderKind* kind = nullptr;  ///< null for the learned encoder
    std::size_t components = 0;              ///< N of `NAME:N`, 0 for an encoder without it

    /// Returns the text that parse_encoder() reads, with the number of components.
    std::string text() const;
};

/// Name of the encoder that is trained with the model.
inline constexpr const char* learned_encoder = "learned";

/// Returns the values of `--encoder` for the help: `learned|NAME|NAME[:N]`.
std::string encoder_forms();
/// Returns the names with their meanings for the help.
std::string encoder_summaries();

/// Parses `learned`, or `NAME` or `NAME:N` of a fixed encoder.
/// @throws core::ConfigError{encoder} for another text
EncoderChoice parse_encoder(const std::string& text);

}  // namespace popflow::models
