// SPDX-License-Identifier: MIT
#include "train/augmentation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "train/pair_sampler.hpp"

namespace popflow::train {

namespace {

using linalg::ConstMatrixView;
using linalg::Matrix;

// Linear map x -> x M of the plane, with M = [[a, b], [c, d]].
struct PlaneMap {
    float a = 1;
    float b = 0;
    float c = 0;
    float d = 1;

    void apply(float* x) const {
        const float x0 = x[0];
        const float x1 = x[1];
        x[0] = x0 * a + x1 * c;
        x[1] = x0 * b + x1 * d;
    }
    void apply(Matrix<float>& x) const {
        for (std::size_t i = 0; i < x.rows(); ++i) apply(x.view().row(i));
    }
};

void copy_row(ConstMatrixView<float> from, std::size_t row, Matrix<float>& to, std::size_t at) {
    std::copy_n(from.row(row), from.cols, to.view().row(at));
}

void shuffle_rows(Matrix<float>& x, core::Stream& stream) {
    const auto order = stream.permutation(x.rows());
    const Matrix<float> before = x;
    for (std::size_t i = 0; i < x.rows(); ++i) copy_row(before, order[i], x, i);
}

// Returns another pair of the lane with the same condition, uniformly at random, or null if there is none.
const TrainingPair* choose_other(const PairLane& lane, const TrainingPair& pair, core::Stream& stream) {
    std::vector<const TrainingPair*> others;
    for (const TrainingPair& other : lane.pairs) {
        if (other.index != pair.index && other.condition == pair.condition) others.push_back(&other);
    }
    return others.empty() ? nullptr : others[stream.below(others.size())];
}

// Replaces the last rows by cells of another pair. The rows are in random order, so the last ones are a
// random sample.
void mix_in(const TrainingPair& other, bool rows_correspond, core::Stream& stream, DrawnCells cells) {
    const std::size_t n = cells.control.rows();
    const std::size_t n_control = other.control.x.rows;
    const std::size_t n_treated = other.treated.x.rows;
    const auto wanted = static_cast<std::size_t>(stream.uniform() * static_cast<double>(n + 1));
    const std::size_t share = std::min({wanted, n_control, n_treated});
    const auto control = stream.sample(n_control, share);
    const auto treated = rows_correspond ? control : stream.sample(n_treated, share);
    for (std::size_t i = 0; i < share; ++i) {
        const std::size_t at = n - share + i;
        copy_row(other.control.x, control[i], cells.control, at);
        cells.control_type[at] = other.control.cell_type[control[i]];
        copy_row(other.treated.x, treated[i], cells.treated, at);
    }
    if (!rows_correspond) shuffle_rows(cells.treated, stream);
}

// Draws rows of both pairs as from one population, so that the density is the same on both sides of the line.
void splice_in(const TrainingPair& pair, const TrainingPair& other, core::Stream& stream, DrawnCells cells) {
    const double angle = 2 * std::numbers::pi * stream.uniform();
    const auto cosine = static_cast<float>(std::cos(angle));
    const auto sine = static_cast<float>(std::sin(angle));
    const auto along = [&](ConstMatrixView<float> x, std::size_t i) {
        return x(i, 0) * cosine + x(i, 1) * sine;
    };
    const ConstMatrixView<float> near = pair.treated.x;
    const ConstMatrixView<float> far = other.treated.x;
    const float line = along(near, stream.below(near.rows));
    std::vector<std::pair<const TrainingPair*, std::size_t>> rows;
    for (std::size_t i = 0; i < near.rows; ++i)
        if (along(near, i) <= line) rows.emplace_back(&pair, i);
    for (std::size_t i = 0; i < far.rows; ++i)
        if (along(far, i) > line) rows.emplace_back(&other, i);
    if (rows.size() < cells.control.rows()) return;
    const auto drawn = stream.sample(rows.size(), cells.control.rows());
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const auto& [from, row] = rows[drawn[i]];
        copy_row(from->control.x, row, cells.control, i);
        cells.control_type[i] = from->control.cell_type[row];
        copy_row(from->treated.x, row, cells.treated, i);
    }
}

// Returns the map x -> x S with the symmetric S = U diag(exp(0.2 z)) U^T.
PlaneMap random_stretch(core::Stream& stream) {
    constexpr double spread = 0.2;
    std::array<float, 2> z{};
    stream.fill_normal(z);
    const double angle = std::numbers::pi * stream.uniform();
    const double cosine = std::cos(angle);
    const double sine = std::sin(angle);
    const double p = std::exp(spread * static_cast<double>(z[0]));
    const double q = std::exp(spread * static_cast<double>(z[1]));
    const auto across = static_cast<float>((p - q) * cosine * sine);
    return {static_cast<float>(p * cosine * cosine + q * sine * sine), across, across,
            static_cast<float>(p * sine * sine + q * cosine * cosine)};
}

void stretch_cells(const PlaneMap& map, DrawnCells cells) {
    for (std::size_t i = 0; i < cells.treated.rows(); ++i) {
        const float moved[] = {cells.control(i, 0) - cells.treated(i, 0),
                               cells.control(i, 1) - cells.treated(i, 1)};
        map.apply(cells.treated.view().row(i));
        for (std::size_t j = 0; j < 2; ++j) cells.control(i, j) = cells.treated(i, j) + moved[j];
    }
}

}  // namespace

Augmentation Augmentation::parse(const std::string& text) {
    Augmentation which;
    const std::vector<std::string> names = core::split_text(text, ',');
    if (names == std::vector<std::string>{"none"}) return which;
    for (const std::string& name : names) {
        if (name == "rotate") {
            which.rotate = true;
        } else if (name == "reflect") {
            which.reflect = true;
        } else if (name == "mix") {
            which.mix = true;
        } else if (name == "stretch") {
            which.stretch = true;
        } else if (name == "splice") {
            which.splice = true;
        } else {
            throw core::ConfigError(
                "augment",
                "found '" + name +
                    "'. Give none, or some of rotate, reflect, mix, stretch and splice, separated by commas");
        }
    }
    if (!which.any())
        throw core::ConfigError(
            "augment", "the list is empty. Give none, or some of rotate, reflect, mix, stretch and splice");
    return which;
}

std::string Augmentation::text() const {
    std::vector<std::string> names;
    if (rotate) names.emplace_back("rotate");
    if (reflect) names.emplace_back("reflect");
    if (mix) names.emplace_back("mix");
    if (stretch) names.emplace_back("stretch");
    if (splice) names.emplace_back("splice");
    return names.empty() ? "none" : core::joined(names);
}

Augmentation PairSampling::augmentation_at(std::uint64_t step, std::uint64_t steps) const {
    return static_cast<double>(step) < augment_until * static_cast<double>(steps) ? augmentation
                                                                                  : Augmentation{};
}

void augment(const Augmentation& which, core::Stream stream, const PairLane& lane, const TrainingPair& pair,
             bool rows_correspond, DrawnCells cells) {
    // Drawn whether used or not, so that the result of one symmetry does not depend on the others.
    const double angle = 2 * std::numbers::pi * stream.uniform();
    const bool mirrored = stream.uniform() < 0.5;
    const bool mixed = stream.uniform() < 0.5;
    if (which.mix && mixed) {
        const TrainingPair* other = choose_other(lane, pair, stream);
        if (other != nullptr) mix_in(*other, rows_correspond, stream, cells);
    }
    if (which.splice && mixed) {
        const TrainingPair* other = choose_other(lane, pair, stream);
        if (other != nullptr) splice_in(pair, *other, stream, cells);
    }
    if (which.stretch) stretch_cells(random_stretch(stream), cells);
    PlaneMap map;
    if (which.rotate) {
        const auto cosine = static_cast<float>(std::cos(angle));
        const auto sine = static_cast<float>(std::sin(angle));
        map = {cosine, sine, -sine, cosine};
    }
    if (which.reflect && mirrored) {
        map.a = -map.a;
        map.c = -map.c;
    }
    if (which.rotate || which.reflect) {
        map.apply(cells.control);
        map.apply(cells.treated);
    }
}

void check_augmentation(const Augmentation& which, std::size_t markers, bool rows_correspond,
                        const std::string& indexing_method) {
    const std::string found = "found '" + which.text() + "' with ";
    if (which.needs_two_markers() && markers != 2) {
        throw core::ConfigError(
            "augment",
            fmt::format(
                "{}{} markers. rotate, reflect, stretch and splice need two markers, mix works with any",
                found, markers));
    }
    if (which.needs_corresponding_rows() && !rows_correspond) {
        throw core::ConfigError("augment", found +
                                               "rows that do not correspond. stretch and splice need "
                                               "--coupling rows or rows-ot");
    }
    if ((which.mix || which.splice) && !indexing_method.empty()) {
        throw core::ConfigError(
            "augment", fmt::format("{}method {}, which has an input for each training pair. mix and "
                                   "splice make populations of two pairs, which have none: omit them",
                                   found, indexing_method));
    }
}

}  // namespace popflow::train
