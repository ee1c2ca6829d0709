// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "h5/file.hpp"

namespace popflow::support {

/// Small screen that is written as an .h5ad file. Tests change the members that they examine.
struct ScreenFile {
    struct Row {
        std::string patient;
        std::string treatment;
        std::string concentration;
        std::string replicate = "A";
        std::string culture = "PDO";
        std::string plate = "1";
        std::string cell_type = "PDOs";
        std::string part = "train";
    };
    std::vector<Row> rows;
    std::vector<std::string> markers{"pERK", "CD90"};
    std::vector<float> x;  ///< row-major. If empty, x[i, j] = i + 100 j
    std::vector<std::string> columns{"patient", "treatment", "concentration", "replicate",
                                     "culture", "plate",     "cell_type",     "part"};

    /// Appends n cells that have the labels of `row`.
    void add(std::size_t n, const Row& row) { rows.insert(rows.end(), n, row); }

    /// Returns the label of a row in the named column.
    static std::string value(const Row& row, const std::string& column) {
        if (column == "patient") return row.patient;
        if (column == "treatment") return row.treatment;
        if (column == "concentration") return row.concentration;
        if (column == "replicate") return row.replicate;
        if (column == "culture") return row.culture;
        if (column == "plate") return row.plate;
        return column == "cell_type" ? row.cell_type : row.part;
    }

    /// Writes the screen. The labels become categorical columns of obs.
    void write(const std::string& path) const {
        h5::DataFrame obs;
        for (const std::string& column : columns) {
            std::vector<std::string> values;
            for (const Row& row : rows) values.push_back(value(row, column));
            obs.add_categorical(column, std::move(values));
        }
        h5::DataFrame var;
        var.set_row_names(markers);
        std::vector<float> values = x;
        if (values.empty()) {
            for (std::size_t i = 0; i < rows.size(); ++i) {
                for (std::size_t j = 0; j < markers.size(); ++j)
                    values.push_back(static_cast<float>(i + 100 * j));
            }
        }
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        h5::write_encoding(root, "anndata", "0.1.0");
        h5::write_dataframe(root, "obs", obs);
        h5::write_dataframe(root, "var", var);
        h5::Dataset stored =
            root.write("X", std::span<const float>(values), {values.size() / markers.size(), markers.size()});
        h5::write_encoding(stored, "array", "0.2.0");
        file.commit();
    }
};

}  // namespace popflow::support
