// SPDX-License-Identifier: MIT
#include "eval/distance_file.hpp"

#include "anndata/anndata_write.hpp"
#include "core/version.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

using problems::Populations;

// Returns the mean of each marker of each population.
std::vector<float> population_means(const Populations& populations) {
    std::vector<float> means;
    for (const linalg::Matrix<float>& cells : populations.cells) {
        std::vector<double> sums(cells.cols());
        for (std::size_t i = 0; i < cells.rows(); ++i) {
            for (std::size_t j = 0; j < cells.cols(); ++j) sums[j] += static_cast<double>(cells(i, j));
        }
        for (const double sum : sums)
            means.push_back(static_cast<float>(sum / static_cast<double>(cells.rows())));
    }
    return means;
}

h5::DataFrame measures_frame(const std::vector<std::string>& names, const Populations* populations) {
    h5::DataFrame frame;
    frame.set_row_names(names);
    if (populations == nullptr) return frame;
    for (std::size_t k = 0; k < populations->columns.size(); ++k) {
        std::vector<std::string> values;
        for (const std::vector<std::string>& row : populations->values) values.push_back(row[k]);
        frame.add_categorical(populations->columns[k], std::move(values));
    }
    frame.add("n_cells", h5::DataFrame::Ints(populations->n_cells.begin(), populations->n_cells.end()));
    return frame;
}

}  // namespace

void write_distance_file(const std::string& path, const problems::ProblemSet& problems,
                         const DistanceMatrix& distances, const std::string& config) {
    const Populations* populations = problems.populations();
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        h5::write_encoding(root, "anndata", "0.1.0");
        const std::size_t n = distances.names.size();
        h5::DataFrame markers;
        if (populations != nullptr) {
            const std::vector<float> means = population_means(*populations);
            anndata::write_array<float>(root, "X", means, {n, populations->markers.size()});
            markers.set_row_names(populations->markers);
        }
        h5::write_dataframe(root, "obs", measures_frame(distances.names, populations));
        h5::write_dataframe(root, "var", markers);
        anndata::write_empty_groups(root);
        h5::Group obsp = root.open_group("obsp");
        anndata::write_array<double>(obsp, "distances", distances.values.values(), {n, n});
        h5::Group uns = anndata::create_dict(root, "uns");
        h5::Group origin = anndata::create_dict(uns, "popflow");
        anndata::write_string(origin, "distance", distances.what);
        anndata::write_string(origin, "config", config);
        anndata::write_string(origin, "version", core::version());
    }
    file.commit();
}

}  // namespace popflow::eval
