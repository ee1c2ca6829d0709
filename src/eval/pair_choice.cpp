// SPDX-License-Identifier: MIT
#include "eval/pair_choice.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"

namespace popflow::eval {

namespace {

// Stream key of these draws, greater than the index of any pair.
constexpr std::uint64_t choice_key = ~std::uint64_t{0};

}  // namespace

std::vector<std::size_t> spread_over_patients(const screen::Screen& screen,
                                              std::span<const std::size_t> pairs, std::size_t count,
                                              std::uint64_t seed) {
    std::vector<std::size_t> chosen;
    if (count == 0 || count >= pairs.size()) {
        chosen.assign(pairs.begin(), pairs.end());
        std::ranges::sort(chosen);
        return chosen;
    }
    std::map<std::string, std::vector<std::size_t>> by_patient;
    for (const std::size_t p : pairs)
        by_patient[screen.populations[screen.pairs[p].treated].patient].push_back(p);
    std::vector<std::vector<std::size_t>> drawn;
    for (const auto& [patient, patient_pairs] : by_patient) {
        core::Stream stream(seed, core::Purpose::evaluation, choice_key, 1 + drawn.size());
        std::vector<std::size_t> order;
        for (const std::uint32_t i : stream.permutation(patient_pairs.size()))
            order.push_back(patient_pairs[i]);
        drawn.push_back(std::move(order));
    }
    const auto patients =
        core::Stream(seed, core::Purpose::evaluation, choice_key, 0).permutation(drawn.size());
    for (std::size_t round = 0; chosen.size() < count; ++round) {
        for (const std::uint32_t i : patients) {
            if (round < drawn[i].size() && chosen.size() < count) chosen.push_back(drawn[i][round]);
        }
    }
    std::ranges::sort(chosen);
    return chosen;
}

std::vector<std::size_t> chosen_pairs(const screen::Screen& screen, const screen::Split& split,
                                      std::span<const screen::Part> parts, std::size_t train_pairs,
                                      std::uint64_t seed) {
    std::vector<std::size_t> chosen;
    for (const screen::Part part : parts) {
        const std::size_t count = part == screen::Part::train ? train_pairs : 0;
        const auto pairs = spread_over_patients(screen, split.pairs(part), count, seed);
        chosen.insert(chosen.end(), pairs.begin(), pairs.end());
    }
    if (chosen.empty())
        throw core::ConfigError("parts",
                                "the split has no pair in the requested parts. Choose others with --parts "
                                "train,validation,test, or another --split");
    std::ranges::sort(chosen);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
}

}  // namespace popflow::eval
