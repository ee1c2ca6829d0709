// SPDX-License-Identifier: MIT
#include "data/letters.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "data/simulated_response.hpp"

namespace popflow::data {

namespace {

using core::Purpose;
using core::Stream;

void check_letters(const std::string& option, const std::vector<std::string>& letters,
                   std::set<std::string>& seen) {
    for (const std::string& letter : letters) {
        if (letter.size() != 1 || letter.front() < 'A' || letter.front() > 'Z')
            throw core::ConfigError(option, "found '" + letter + "', allowed one capital A to Z");
        if (!seen.insert(letter).second)
            throw core::ConfigError(option, "found '" + letter + "' twice, allowed each letter once");
    }
}

// All capitals but some.
std::vector<std::string> capitals_but(const std::vector<std::string>& others) {
    std::vector<std::string> letters;
    for (char c = 'A'; c <= 'Z'; ++c) {
        const std::string letter(1, c);
        if (std::ranges::find(others, letter) == others.end()) letters.push_back(letter);
    }
    return letters;
}

Stream stream(const Letters& letters, const RotatedLetter& e, const std::string& what) {
    return {letters.options.seed, Purpose::simulation, label_key(what + " of letter " + e.letter),
            e.rotation};
}

}  // namespace

std::size_t Letters::n_points() const {
    return experiments.empty() ? 0 : experiments.back().first_row + 2 * experiments.back().n_points;
}

Letters plan_letters(const LettersOptions& options) {
    Letters plan{options, {}, {}};
    LettersOptions& o = plan.options;
    std::set<std::string> all;
    check_letters("test-letters", o.test_letters, all);
    if (o.letters.empty()) o.letters = capitals_but(o.test_letters);
    check_letters("letters", o.letters, all);
    if (o.rotations == 0) throw core::ConfigError("rotations", "found '0', allowed 1 or more");
    if (o.font.empty()) o.font = default_font();
    plan.alphabet = draw_alphabet(o.font, {all.begin(), all.end()}, o.size);

    std::size_t row = 0;
    for (const auto* part : {&o.letters, &o.test_letters}) {
        for (const std::string& letter : *part) {
            for (std::size_t r = 0; r < o.rotations; ++r) {
                RotatedLetter e{.letter = letter, .rotation = r, .test = part == &o.test_letters};
                e.angle = 2 * std::numbers::pi * stream(plan, e, "angle").uniform();
                e.n_points = plan.alphabet.clouds.at(letter).rows();
                e.first_row = row;
                row += 2 * e.n_points;
                plan.experiments.push_back(std::move(e));
            }
        }
    }
    return plan;
}

LetterPoints letter_points(const Letters& letters, const RotatedLetter& e) {
    const linalg::Matrix<float>& cloud = letters.alphabet.clouds.at(e.letter);
    const std::size_t n = cloud.rows();
    LetterPoints points{linalg::Matrix<float>(n, 2), linalg::Matrix<float>(n, 2)};
    Stream jitter = stream(letters, e, "jitter");
    Stream noise = stream(letters, e, "noise");
    const double cosine = std::cos(e.angle);
    const double sine = std::sin(e.angle);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = static_cast<double>(cloud(i, 0)) + letters.options.jitter * jitter.normal();
        const double y = static_cast<double>(cloud(i, 1)) + letters.options.jitter * jitter.normal();
        const double target[] = {cosine * x - sine * y, sine * x + cosine * y};
        for (std::size_t j = 0; j < 2; ++j) {
            points.target(i, j) = static_cast<float>(target[j]);
            points.source(i, j) = static_cast<float>(target[j] + letters.options.noise * noise.normal());
        }
    }
    return points;
}

}  // namespace popflow::data
