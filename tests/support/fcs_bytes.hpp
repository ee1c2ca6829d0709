// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace popflow::support {

enum class Order { little, big };

/// Returns the lowest `width` bytes of an unsigned integer.
inline std::string bytes_of(std::uint64_t bits, std::size_t width, Order order) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i) {
        const std::size_t byte = order == Order::little ? i : width - 1 - i;
        out += static_cast<char>(bits >> (8 * byte) & 0xFFU);
    }
    return out;
}

inline std::string float_bytes(const std::vector<float>& values, Order order = Order::little) {
    std::string out;
    for (const float v : values) out += bytes_of(std::bit_cast<std::uint32_t>(v), 4, order);
    return out;
}

inline std::string double_bytes(const std::vector<double>& values, Order order = Order::little) {
    std::string out;
    for (const double v : values) out += bytes_of(std::bit_cast<std::uint64_t>(v), 8, order);
    return out;
}

/// Bytes of an FCS file: HEADER, TEXT and DATA, then `tail`. Tests change the members that they examine.
struct FcsBytes {
    std::string version = "FCS3.1";
    char delimiter = '/';
    std::vector<std::pair<std::string, std::string>> keywords{};
    std::string data{};
    std::string tail{};
    std::string padding{};          ///< bytes at the end of the TEXT segment
    bool offsets_in_header = true;  ///< whether HEADER holds the offsets of DATA

    /// Sets a keyword. An empty value removes it.
    FcsBytes& set(const std::string& name, const std::string& value) {
        std::erase_if(keywords, [&](const auto& keyword) { return keyword.first == name; });
        if (!value.empty()) keywords.emplace_back(name, value);
        return *this;
    }
    /// Returns the TEXT segment.
    std::string text() const {
        std::string out(1, delimiter);
        for (const auto& [name, value] : keywords) out += name + delimiter + value + delimiter;
        return out + padding;
    }
    std::size_t data_begin() const { return 58 + text().size(); }
    std::size_t data_end() const { return data_begin() + data.size() - 1; }

    static std::string field(std::size_t number) {
        const std::string digits = std::to_string(number);
        return std::string(8 - digits.size(), ' ') + digits;
    }
    std::string bytes() const {
        const std::string none(8, ' ');
        return version + "    " + field(58) + field(data_begin() - 1) +
               (offsets_in_header ? field(data_begin()) + field(data_end()) : field(0) + field(0)) + none +
               none + text() + data + tail;
    }
};

/// Returns a file with two events of the channels A (stain pERK) and B (no stain), stored as 32-bit floats.
inline FcsBytes two_events(Order order = Order::little) {
    FcsBytes fcs;
    fcs.set("$BYTEORD", order == Order::little ? "1,2,3,4" : "4,3,2,1");
    fcs.set("$DATATYPE", "F").set("$MODE", "L").set("$PAR", "2").set("$TOT", "2");
    fcs.set("$P1B", "32").set("$P1N", "A").set("$P1S", "pERK");
    fcs.set("$P2B", "32").set("$P2N", "B");
    fcs.data = float_bytes({1.5F, -2.0F, 1e-3F, 4e6F}, order);
    return fcs;
}

/// Returns a file with one event of one integer channel A.
inline FcsBytes one_integer(std::uint64_t value, std::size_t bits, const std::string& range,
                            Order order = Order::little) {
    FcsBytes fcs;
    fcs.set("$BYTEORD", order == Order::little ? "1,2,3,4" : "4,3,2,1");
    fcs.set("$DATATYPE", "I").set("$PAR", "1").set("$TOT", "1");
    fcs.set("$P1B", std::to_string(bits)).set("$P1N", "A").set("$P1R", range);
    fcs.data = bytes_of(value, bits / 8, order);
    return fcs;
}

}  // namespace popflow::support
