// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <string>
#include <type_traits>

namespace popflow::support {

/// Returns a value as text. Numbers have as many digits as it takes to read back the same bits.
template <class T>
std::string exact_text(const T& value) {
    if constexpr (std::is_arithmetic_v<T>) {
        std::array<char, 64> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        return {text.data(), end};
    } else {
        return testing::PrintToString(value);
    }
}

/// Compares two sequences element by element: EXPECT_PRED_FORMAT2(elements_equal, found, expected). The
/// failure lists index, found and expected value of the first elements that differ.
template <std::ranges::random_access_range Found, std::ranges::random_access_range Expected>
testing::AssertionResult elements_equal(const char* found_name, const char* expected_name, const Found& found,
                                        const Expected& expected) {
    constexpr std::size_t max_listed = 5;
    const auto size = static_cast<std::size_t>(std::ranges::size(found));
    if (size != static_cast<std::size_t>(std::ranges::size(expected))) {
        return testing::AssertionFailure() << found_name << " has " << size << " elements, expected "
                                           << std::ranges::size(expected) << " as in " << expected_name;
    }
    std::size_t different = 0;
    std::string list;
    for (std::size_t i = 0; i < size; ++i) {
        if (found[i] == expected[i]) continue;
        if (++different > max_listed) continue;
        list += "\n  element " + std::to_string(i) + ": found " + exact_text(found[i]) + ", expected " +
                exact_text(expected[i]);
    }
    if (different == 0) return testing::AssertionSuccess();
    if (different > max_listed) list += "\n  ...";
    return testing::AssertionFailure() << different << " of " << size << " elements of " << found_name
                                       << " differ from " << expected_name << ":" << list;
}

}  // namespace popflow::support
