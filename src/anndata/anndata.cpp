// SPDX-License-Identifier: MIT
#include "anndata/anndata.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"

namespace popflow::anndata {

namespace {

/// Opens the labels of a column.
LabelColumn open_labels(StoredColumn column) {
    if (column.categories)
        return LabelColumn::categorical(std::move(column.values), *std::move(column.categories));
    if (column.mask) return {std::move(column.values), *std::move(column.mask)};
    return LabelColumn(std::move(column.values));
}

void check_rows(const h5::Group& root, const LabelColumn& column, std::size_t wanted, const char* dimension) {
    if (column.rows() == wanted) return;
    throw core::DataError(
        root.file(), column.path(),
        fmt::format("found {} rows, allowed {}, the number of {} of X", column.rows(), wanted, dimension));
}

LabelColumn open_index(const h5::Group& root, const std::string& table, std::size_t wanted,
                       const char* dimension) {
    LabelColumn index = open_labels(StoredTable(root, table).row_names());
    check_rows(root, index, wanted, dimension);
    return index;
}

// Other groups of an AnnData file, often much larger than X.
const std::vector<std::string> skipped{"layers", "obsm", "obsp", "raw", "varm", "varp"};

}  // namespace

AnnData::AnnData(const std::string& file) : root_(h5::open_file(file, skipped)), x_(root_) {
    open_index(root_, "obs", n_obs(), "rows");
    var_names_ = open_index(root_, "var", n_vars(), "columns").read_labels();
}

std::vector<std::string> AnnData::obs_names(std::size_t first, std::size_t count) const {
    LabelColumn index = open_labels(table("obs").row_names());
    std::vector<std::int32_t> codes(count);
    index.read_codes(first, codes);
    std::vector<std::string> names;
    names.reserve(count);
    for (const std::int32_t code : codes)
        names.push_back(code == LabelColumn::missing_code ? ""
                                                          : index.labels()[static_cast<std::size_t>(code)]);
    return names;
}

std::vector<std::string> AnnData::obs_columns() const {
    std::vector<std::string> names = table("obs").columns();
    std::ranges::sort(names);
    return names;
}

bool AnnData::has_obs(const std::string& column) const {
    const std::vector<std::string> names = obs_columns();
    return std::find(names.begin(), names.end(), column) != names.end();
}

LabelColumn AnnData::obs(const std::string& column) const {
    if (!has_obs(column)) {
        const std::vector<std::string> names = obs_columns();
        throw core::DataError(file(), "obs/" + column,
                              names.empty() ? "is missing: obs has no columns"
                                            : "is missing" + core::did_you_mean(column, names) + ", found " +
                                                  core::joined(names));
    }
    LabelColumn result = open_labels(table("obs").column(column));
    check_rows(root_, result, n_obs(), "rows");
    return result;
}

}  // namespace popflow::anndata
