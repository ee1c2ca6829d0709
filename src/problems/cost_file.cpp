// SPDX-License-Identifier: MIT
#include "problems/cost_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_reader.hpp"
#include "h5/file.hpp"

namespace popflow::problems {

namespace {

constexpr const char* dataset_name = "cost";

[[noreturn]] void fail_shape(const std::string& path, const std::string& field, std::size_t rows,
                             std::size_t cols, std::size_t n, std::size_t m) {
    throw core::DataError(
        path, field,
        fmt::format("has {} x {} costs, but the problems have {} source and {} target atoms. "
                    "Give a cost for each pair of atoms",
                    rows, cols, n, m));
}

void check_finite(const std::string& path, const linalg::Matrix<double>& costs) {
    for (std::size_t i = 0; i < costs.rows(); ++i) {
        for (std::size_t j = 0; j < costs.cols(); ++j) {
            if (!std::isfinite(costs(i, j)))
                throw core::DataError(path, fmt::format("row {}, column {}", i, j),
                                      "is not finite. Give a finite cost for each pair of atoms");
        }
    }
}

linalg::Matrix<double> read_dataset(const std::string& path, std::size_t n, std::size_t m) {
    const h5::Group root = h5::open_file(path);
    if (!root.contains_dataset(dataset_name))
        throw core::DataError(path, dataset_name, "is missing. Store the costs as a dataset of this name");
    const h5::Dataset dataset = root.open_dataset(dataset_name);
    if (dataset.rows() != n || dataset.row_size() != m)
        fail_shape(path, dataset_name, dataset.rows(), dataset.row_size(), n, m);
    linalg::Matrix<double> costs(n, m);
    dataset.read_rows(0, n, costs.values());
    return costs;
}

linalg::Matrix<double> read_table(const std::string& path, std::size_t n, std::size_t m) {
    core::TextReader in(path);
    linalg::Matrix<double> costs(n, m);
    std::size_t row = 0;
    for (std::string line; in.next(line, true);) {
        for (char& c : line) {
            if (c == ',' || c == ';' || c == '\t' || c == '\r') c = ' ';
        }
        std::size_t col = 0;
        for (const std::string& word : core::split_text(line, ' ')) {
            if (word.empty()) continue;
            const auto number = core::label_number(word);
            if (!number)
                throw core::DataError(
                    path, fmt::format("row {}, column {}", row, col),
                    "'" + word + "' is not a number. Give numbers only, without column names");
            if (row < n && col < m) costs(row, col) = *number;
            ++col;
        }
        if (col == 0) continue;
        if (col != m)
            throw core::DataError(
                path, fmt::format("row {}", row),
                fmt::format(
                    "has {}, but the problems have {} source and {} target atoms. Give {} rows of {} costs",
                    core::counted(col, "cost"), n, m, n, m));
        ++row;
    }
    if (row != n) fail_shape(path, "", row, m, n, m);
    return costs;
}

}  // namespace

linalg::Matrix<double> read_costs(const std::string& path, std::size_t n, std::size_t m) {
    std::ifstream file(path, std::ios::binary);
    char magic[4] = {};
    if (!file || (!file.read(magic, 4) && file.bad()))
        throw core::ConfigError(
            "cost", "'" + path + "' is no file. Give sqeuclidean, euclidean, sphere or a file of costs");
    const bool is_hdf5 = std::string(magic, 4) == "\x89HDF";
    linalg::Matrix<double> costs = is_hdf5 ? read_dataset(path, n, m) : read_table(path, n, m);
    check_finite(path, costs);
    return costs;
}

}  // namespace popflow::problems
