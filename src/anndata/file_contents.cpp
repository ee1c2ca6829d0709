// SPDX-License-Identifier: MIT
#include "anndata/file_contents.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/text.hpp"

namespace popflow::anndata {

namespace {

using Names = std::vector<std::string>;

Names members(const h5::Group& root, const std::string& name) {
    return root.contains_group(name) ? root.open_group(name).names() : Names{};
}

// Returns the path without its folder, with another extension.
std::string renamed(const std::string& path, const std::string& extension) {
    return std::filesystem::path(path).filename().replace_extension(extension).string();
}

std::string command(const std::string& python) {
    return "python3 -c \"" + python + "\"";
}

std::string mudata_text(const h5::Group& root) {
    const Names names = members(root, "mod");
    const std::string first = names.empty() ? "NAME" : names.front();
    return "is a MuData file (.h5mu) with the modalities " + core::joined(names) +
           ". Write one of them to a file: " +
           command("import mudata; mudata.read_h5mu('" + root.file() + "').mod['" + first +
                   "'].write_h5ad('" + renamed(root.file(), first + ".h5ad") + "')");
}

std::string loom_text(const h5::Group& root) {
    const Names layers = members(root, "layers");
    return "is a loom file with the matrix `matrix`" +
           (layers.empty() ? "" : ", the layers " + core::joined(layers)) + " and the cell attributes " +
           core::joined(members(root, "col_attrs")) + ". Convert it: " +
           command("import scanpy; scanpy.read_loom('" + root.file() + "').write_h5ad('" +
                   renamed(root.file(), ".h5ad") + "')");
}

std::string cell_ranger_text(const h5::Group& root, const std::string& contents,
                             const std::string& argument) {
    return "is a 10x Genomics file (" + contents + "). Convert it: " +
           command("import scanpy; d = scanpy.read_10x_h5('" + root.file() + "'" + argument +
                   "); d.var_names_make_unique(); d.write_h5ad('" + renamed(root.file(), ".h5ad") + "')") +
           " and add the labels of the cells to obs";
}

bool is_cell_ranger_2(const h5::Group& root, const std::string& name) {
    const Names names = members(root, name);
    return std::ranges::all_of(
        Names{"barcodes", "data", "genes", "indices", "indptr"},
        [&](const std::string& one) { return std::ranges::find(names, one) != names.end(); });
}

}  // namespace

std::string matrices_text(const h5::Group& root) {
    Names options;
    if (const Names layers = members(root, "layers"); !layers.empty())
        options.push_back("--layer NAME (" + core::joined(layers) + ")");
    if (const Names keys = members(root, "obsm"); !keys.empty())
        options.push_back("--obsm KEY (" + core::joined(keys) + ")");
    if (root.contains("raw/X") || root.contains("raw.X")) options.emplace_back("--use-raw");
    if (options.empty()) return "";
    const std::string last = options.back();
    options.pop_back();
    return " Read another matrix with " + core::joined(options) + (options.empty() ? "" : " or ") + last;
}

std::string foreign_format_text(const h5::Group& root) {
    if (root.contains_group("mod")) return mudata_text(root);
    if (root.contains_dataset("matrix") && root.contains_group("col_attrs") &&
        root.contains_group("row_attrs"))
        return loom_text(root);
    if (root.contains_group("matrix/features") && root.contains_dataset("matrix/barcodes"))
        return cell_ranger_text(root, "Cell Ranger 3 or later", "");
    Names genomes;
    for (const std::string& name : root.names()) {
        if (is_cell_ranger_2(root, name)) genomes.push_back(name);
    }
    if (genomes.empty()) return "";
    return cell_ranger_text(root, "Cell Ranger 2, with the genomes " + core::joined(genomes),
                            genomes.size() == 1 ? "" : ", genome='" + genomes.front() + "'");
}

std::string zarr_text(const std::string& path) {
    std::error_code ignored;
    const std::filesystem::path folder(path);
    if (!std::filesystem::is_directory(folder, ignored)) return "";
    const bool is_store = std::ranges::any_of(
        Names{".zgroup", ".zattrs", ".zmetadata", "zarr.json"},
        [&](const std::string& name) { return std::filesystem::exists(folder / name, ignored); });
    if (!is_store) return "";
    const std::string name = (folder.has_filename() ? folder : folder.parent_path()).string();
    return "is a Zarr store. Convert it: " + command("import anndata; anndata.read_zarr('" + path +
                                                     "').write_h5ad('" + renamed(name, ".h5ad") + "')");
}

}  // namespace popflow::anndata
