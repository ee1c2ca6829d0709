// SPDX-License-Identifier: MIT
#include "anndata/anndata.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "anndata/file_contents.hpp"
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

void check_rows(const h5::Group& root, const LabelColumn& column, std::size_t wanted, const char* dimension,
                const std::string& matrix) {
    if (column.rows() == wanted) return;
    throw core::DataError(root.file(), column.path(),
                          fmt::format("found {} rows, but {} has {} {}: write a file in which they agree",
                                      column.rows(), matrix, wanted, dimension));
}

// Opens a file without the groups that are often much larger than X, except the one that holds the matrix.
h5::Group open_for(const std::string& file, const MatrixSource& source) {
    if (const std::string text = zarr_text(file); !text.empty()) throw core::DataError(file, "", text);
    std::vector<std::string> skipped{"layers", "obsm", "obsp", "raw", "varm", "varp"};
    const std::string path = source.path();
    std::erase(skipped, path.substr(0, path.find('/')));
    return h5::open_file(file, skipped);
}

// Throws if the file is of a format that another program writes.
void check_format(const h5::Group& root) {
    if (const std::string text = foreign_format_text(root); !text.empty())
        throw core::DataError(root.file(), "", text);
}

// Throws that the file does not hold the matrix. @param problem  see core::DataError
[[noreturn]] void fail_matrix(const std::string& file, const MatrixSource& source,
                              const std::string& problem) {
    const h5::Group root = h5::open_file(file);
    check_format(root);
    if (source.kind == MatrixSource::Kind::x) {
        const std::string others = matrices_text(root);
        const bool is_unknown = others.empty() && !root.contains("X");
        throw core::DataError(file, "X",
                              problem + (is_unknown ? ": the file is not an AnnData file (.h5ad) with cells"
                                                    : (others.empty() ? "" : "." + others)));
    }
    const std::string x = root.contains("X") ? ". Without an option X is read." : ".";
    throw core::DataError(file, source.path(), problem + x + matrices_text(root));
}

Expression open_member(const h5::Group& root, const MatrixSource& source, const std::string& group) {
    if (root.contains_dataset(group)) {
        throw core::DataError(root.file(), group,
                              "found the layout of anndata 0.6, which has no separate members. Read the file "
                              "with anndata and write it again");
    }
    const std::vector<std::string> names =
        root.contains_group(group) ? root.open_group(group).names() : std::vector<std::string>();
    if (std::ranges::find(names, source.name) == names.end())
        fail_matrix(root.file(), source, "is missing" + core::did_you_mean(source.name, names));
    const h5::Group parent = root.open_group(group);
    if (parent.contains_group(source.name) &&
        parent.open_group(source.name).string_attribute_or("encoding-type", "") == "dataframe") {
        const StoredTable table(root, source.path());
        std::vector<StoredColumn> columns;
        for (const std::string& name : table.columns()) columns.push_back(table.column(name));
        return {std::move(columns), root, source.path()};
    }
    return Expression(parent, source.name);
}

Expression open_matrix(const h5::Group& root, const MatrixSource& source) {
    if (!root.contains("obs")) check_format(h5::open_file(root.file()));
    switch (source.kind) {
        case MatrixSource::Kind::layer:
            return open_member(root, source, "layers");
        case MatrixSource::Kind::obsm:
            return open_member(root, source, "obsm");
        case MatrixSource::Kind::raw:
            if (root.contains("raw/X")) return Expression(root.open_group("raw"));
            if (root.contains("raw.X")) return Expression(root, "raw.X");
            fail_matrix(root.file(), source, "is missing");
        case MatrixSource::Kind::x:
            break;
    }
    if (!root.contains("X")) fail_matrix(root.file(), source, "is missing");
    if (root.contains_dataset("X") && root.open_dataset("X").rank() == 0)
        fail_matrix(root.file(), source, "is empty: the file was written without X");
    return Expression(root);
}

}  // namespace

AnnData::AnnData(const std::string& file, const MatrixSource& source)
    : root_(open_for(file, source)), source_(source), x_(open_matrix(root_, source)) {
    check_rows(root_, open_labels(table("obs").row_names()), n_obs(), "rows", x_.path());
    if (has_var_table()) {
        LabelColumn index = open_labels(table("var").row_names());
        check_rows(root_, index, n_vars(), "columns", x_.path());
        var_names_ = index.read_labels();
    } else if (x_.is_dataframe()) {
        var_names_ = StoredTable(root_, source.path()).columns();
    } else {
        for (std::size_t j = 1; j <= n_vars(); ++j)
            var_names_.push_back(fmt::format("{}_{}", source.name, j));
    }
}

StoredTable AnnData::table(const std::string& name) const {
    if (name != "var" || source_.kind != MatrixSource::Kind::raw) return {root_, name};
    // anndata 0.6 wrote `raw.X` and `raw.var`.
    return {root_, root_.contains("raw/var") || !root_.contains("raw.var") ? "raw/var" : "raw.var"};
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
    check_rows(root_, result, n_obs(), "rows", x_.path());
    return result;
}

}  // namespace popflow::anndata
