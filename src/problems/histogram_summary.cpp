// SPDX-License-Identifier: MIT
#include "problems/histogram_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anndata/anndata.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "problems/weight_rows.hpp"

namespace popflow::problems {

namespace {

// Counts of the rows of a file.
struct Rows {
    std::size_t atoms = 0;  // with mass, of all rows
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    std::size_t most = 0;
    double smallest_sum = std::numeric_limits<double>::infinity();
    double largest_sum = 0;
    std::vector<std::string> without_mass;
    std::vector<std::string> invalid;

    void add(const std::string& name, std::span<const double> row) {
        double sum = 0;
        std::size_t lit = 0;
        for (const double weight : row) {
            if (!(weight >= 0) || !std::isfinite(weight)) return invalid.push_back(name);
            sum += weight;
            lit += weight > 0 ? 1 : 0;
        }
        if (lit == 0) return without_mass.push_back(name);
        atoms += lit;
        fewest = std::min(fewest, lit);
        most = std::max(most, lit);
        smallest_sum = std::min(smallest_sum, sum);
        largest_sum = std::max(largest_sum, sum);
    }
};

std::string ranges(const linalg::Matrix<double>& positions) {
    std::vector<std::string> texts;
    for (std::size_t k = 0; k < positions.cols(); ++k) {
        double low = positions(0, k);
        double high = low;
        for (std::size_t i = 0; i < positions.rows(); ++i) {
            low = std::min(low, positions(i, k));
            high = std::max(high, positions(i, k));
        }
        texts.push_back(fmt::format("{:.4g} to {:.4g}", low, high));
    }
    return core::joined(texts, 6);
}

}  // namespace

bool has_histograms(const std::string& file, const HistogramOptions& options) {
    const anndata::AnnData data(file, options.source);
    if (data.has_obs("treatment")) return false;
    return h5::open_file(file).contains("varm/" + options.position_member());
}

std::string histogram_summary(const std::string& path, const HistogramOptions& options) {
    const HistogramFile file(path, options);
    const WeightRows weights(h5::open_file(path), options.source.path());
    Rows rows;
    weights.read(file.rows(),
                 [&](std::size_t k, std::span<const double> row) { rows.add(file.names()[k], row); });
    const std::size_t valid = file.names().size() - rows.without_mass.size() - rows.invalid.size();
    std::string text =
        fmt::format("File          {} (fingerprint {})\nHistograms    {} over {}\n", path, file.fingerprint(),
                    file.names().size(), core::counted(file.atoms(), "atom"));
    if (file.positions().rows() > 0)
        text += fmt::format("Positions     {}: {}\n", core::counted(file.positions().cols(), "coordinate"),
                            ranges(file.positions()));
    if (valid > 0) {
        text += fmt::format(
            "With mass     {} to {} atoms, mean {:.1f}\nSums          {} to {}{}\n", rows.fewest, rows.most,
            static_cast<double>(rows.atoms) / static_cast<double>(valid),
            core::number_label(rows.smallest_sum), core::number_label(rows.largest_sum),
            rows.largest_sum > rows.smallest_sum * (1 + 1e-6) ? ": popflow ot divides each row by its sum"
                                                              : "");
    }
    if (!rows.without_mass.empty())
        text += fmt::format("Without mass  {}: {}. Leave them out with --exclude\n", rows.without_mass.size(),
                            core::joined(rows.without_mass, 8));
    if (!rows.invalid.empty())
        text += fmt::format(
            "Invalid       {} with a weight that is negative or not finite: {}. Leave them out with "
            "--exclude\n",
            rows.invalid.size(), core::joined(rows.invalid, 8));
    return text + "\nSolve problems between them with popflow ot --data " + path + " --output R.h5\n";
}

}  // namespace popflow::problems
