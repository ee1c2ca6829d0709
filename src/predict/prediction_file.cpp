// SPDX-License-Identifier: MIT
#include "predict/prediction_file.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "anndata/anndata_write.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "h5/file.hpp"
#include "mpi/run_collectively.hpp"

namespace popflow::predict {

namespace {

constexpr const char* latent_cells = "obsm/X_latent";

linalg::Matrix<float> copy_of(linalg::ConstMatrixView<float> x) {
    linalg::Matrix<float> copy(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row_span(i), copy.view().row(i));
    return copy;
}

}  // namespace

PredictionFile::PredictionFile(const screen::Screen& screen, const screen::Normalisation& normalisation,
                               PredictionPlan plan)
    : screen_(screen),
      normalisation_(normalisation),
      plan_(std::move(plan)),
      data_(screen.file, screen.options.source),
      obs_(data_, "obs"),
      var_(data_, "var"),
      scratch_(plan_.path),
      normalised_range_(plan_.range) {
    if (plan_.clip && plan_.range.empty())
        throw core::ConfigError(
            "clip",
            "the run has no training range, since it was trained by an earlier version of "
            "popflow. Train again, or predict without --clip");
    // Normalised like the training cells, so that these are inside to the last bit.
    for (std::vector<float>* end : {&normalised_range_.min, &normalised_range_.max}) {
        if (!end->empty()) normalisation_.apply({end->data(), 1, end->size(), end->size()});
    }
    const std::vector<std::string> added = added_columns();
    for (const std::string& name : obs_.columns()) {
        if (std::ranges::find(added, name) == added.end()) continue;
        throw core::DataError(screen.file, "obs/" + name,
                              "found a column with the name of a column that predictions add: rename it");
    }
    // Categories must be distinct. Labels that are joined from several columns may be equal.
    std::set<std::string> distinct;
    for (std::string& name : plan_.sources) {
        while (!distinct.insert(name).second) name += "'";
    }
    std::set<std::size_t> controls;
    for (const Prediction& p : plan_.predictions) has_repeated_cells_ |= !controls.insert(p.control).second;
}

std::vector<std::string> PredictionFile::left_out() const {
    std::vector<std::string> lines = obs_.left_out();
    lines.insert(lines.end(), var_.left_out().begin(), var_.left_out().end());
    return lines;
}

std::vector<std::string> PredictionFile::added_columns() const {
    std::vector<std::string> names{plan_.treatment_column, plan_.concentration_column};
    if (plan_.has_parts) names.emplace_back(predicted_part_column);
    names.push_back(plan_.source_column);
    names.emplace_back(predicted_cell_column);
    return names;
}

void PredictionFile::add(std::size_t prediction, std::span<const std::uint64_t> rows,
                         std::span<const linalg::ConstMatrixView<float>> states) {
    Block block{.n = rows.size(), .rows = scratch_.append(rows), .states = {}};
    const screen::LatentSpace* latent = plan_.latent;
    if (latent != nullptr) {
        linalg::Matrix<float> z = copy_of(states.front());
        latent->unscale(z.view());
        block.latent = scratch_.append(std::span<const float>(z.values()));
    }
    for (const auto& state : states) {
        linalg::Matrix<float> x = latent != nullptr ? latent->decode(state) : copy_of(state);
        if (!normalised_range_.empty() && block.states.empty())
            block.outside = screen::count_outside(normalised_range_, x.view());
        if (plan_.clip) normalised_range_.clip(x.view());
        to_space(plan_.space, normalisation_, screen_.options.transform, x.view());
        block.states.push_back(scratch_.append(std::span<const float>(x.values())));
    }
    blocks_[prediction].push_back(std::move(block));
}

std::string PredictionFile::label(const Prediction& prediction, const std::string& column) const {
    if (column == plan_.treatment_column) return prediction.treatment;
    if (column == plan_.concentration_column)
        return prediction.concentration.empty() ? prediction.known_concentration : prediction.concentration;
    return column == predicted_part_column ? prediction.part : plan_.sources[prediction.source];
}

// Returns the categories of a column. Sources have the order of the embeddings, other labels are sorted. An
// empty label is a missing value and has no category.
std::vector<std::string> PredictionFile::labels(const Layout& layout, const std::string& column) const {
    if (column == plan_.source_column) {
        std::vector<std::string> names;
        for (std::size_t s : layout.sources) names.push_back(plan_.sources[s]);
        return names;
    }
    std::set<std::string> distinct;
    for (std::size_t p = 0; p < plan_.predictions.size(); ++p) {
        if (layout.n[p] > 0) distinct.insert(label(plan_.predictions[p], column));
    }
    distinct.erase("");
    return {distinct.begin(), distinct.end()};
}

std::size_t PredictionFile::write(const mpi::Communicator& comm, const Provenance& provenance,
                                  const SourceDescriptions& described) {
    Layout layout;
    layout.n.resize(plan_.predictions.size(), 0);
    for (const auto& [prediction, blocks] : blocks_) {
        for (const Block& block : blocks) layout.n[prediction] += static_cast<std::int64_t>(block.n);
    }
    comm.sum(layout.n);
    count_outside(comm);
    std::set<std::size_t> sources;
    for (std::size_t p = 0; p < layout.n.size(); ++p) {
        layout.first.push_back(layout.rows);
        layout.rows += static_cast<std::size_t>(layout.n[p]);
        if (layout.n[p] > 0) sources.insert(plan_.predictions[p].source);
    }
    layout.sources.assign(sources.begin(), sources.end());
    for (const std::string& column : added_columns()) {
        if (column != predicted_cell_column) layout.categories[column] = labels(layout, column);
    }

    std::unique_ptr<h5::AtomicFile> file;
    mpi::run_collectively(comm, [&] {
        if (!comm.is_root()) return;
        file = std::make_unique<h5::AtomicFile>(plan_.path);
        create(file->root(), layout, provenance, described);
        file->close();
    });
    for (int writer = 0; writer < comm.size(); ++writer) {
        mpi::run_collectively(comm, [&] {
            if (writer != comm.rank() || blocks_.empty()) return;
            h5::WritableFile shared(core::temporary_name(plan_.path), plan_.path);
            write_blocks(shared.root(), layout);
            shared.close();
        });
    }
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) file->commit();
    });
    return layout.rows;
}

void PredictionFile::count_outside(const mpi::Communicator& comm) {
    const std::size_t d = normalised_range_.min.size();
    if (d == 0) return;
    std::vector<std::int64_t> counts(1 + d, 0);
    for (const auto& [prediction, blocks] : blocks_) {
        for (const Block& block : blocks) {
            counts[0] += static_cast<std::int64_t>(block.outside.cells);
            for (std::size_t j = 0; j < d; ++j)
                counts[1 + j] += static_cast<std::int64_t>(block.outside.by_marker[j]);
        }
    }
    comm.sum(counts);
    outside_.cells = static_cast<std::size_t>(counts[0]);
    outside_.by_marker.assign(counts.begin() + 1, counts.end());
}

void PredictionFile::create(h5::Group root, const Layout& layout, const Provenance& provenance,
                            const SourceDescriptions& described) const {
    h5::write_encoding(root, "anndata", "0.1.0");
    anndata::write_empty_groups(root);
    const std::vector<std::size_t> shape{layout.rows, screen_.markers.size()};
    h5::Dataset x = root.create_dataset("X", h5::Element::float32, shape);
    h5::write_encoding(x, "array", "0.2.0");
    for (const double time : plan_.times) {
        h5::Dataset layer =
            root.create_dataset("layers/" + prediction_layer(time), h5::Element::float32, shape);
        h5::write_encoding(layer, "array", "0.2.0");
    }
    create_obs(root, layout);

    h5::Group var = root.create_group("var");
    h5::write_encoding(var, "dataframe", "0.2.0");
    var.write_attribute("_index", "_index");
    var.write_attribute("column-order", var_.columns());
    anndata::write_strings(var, "_index", screen_.markers);
    var_.create(var, screen_.markers.size());
    const std::vector<std::uint64_t> markers(screen_.marker_cols.begin(), screen_.marker_cols.end());
    const anndata::RowSegment all{markers, 0};
    var_.write(var, {&all, 1});

    write_uns(root, layout, provenance, described);
}

void PredictionFile::create_obs(h5::Group& root, const Layout& layout) const {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    obs.write_attribute("_index", "_index");
    std::vector<std::string> order = obs_.columns();
    for (const std::string& name : added_columns()) order.push_back(name);
    obs.write_attribute("column-order", order);
    obs_.create(obs, layout.rows);
    for (const auto& [name, categories] : layout.categories)
        anndata::create_categorical(obs, name, categories, layout.rows);
    for (const char* name : {"_index", predicted_cell_column}) {
        h5::Dataset names = obs.create_strings(name, layout.rows);
        h5::write_encoding(names, "string-array", "0.2.0");
    }
}

void PredictionFile::write_uns(h5::Group& root, const Layout& layout, const Provenance& provenance,
                               const SourceDescriptions& described) const {
    h5::Group uns = anndata::create_dict(root, "uns");
    h5::Group provenance_group = anndata::create_dict(uns, "popflow");
    anndata::write_string(provenance_group, "version", core::version());
    anndata::write_string(provenance_group, "commit", core::commit());
    anndata::write_string(provenance_group, "config", provenance.config);
    anndata::write_string(provenance_group, "method", provenance.method);
    anndata::write_string(provenance_group, "base", provenance.base);
    anndata::write_string(provenance_group, "data_fingerprint", provenance.data_fingerprint);
    anndata::write_scalar<std::uint64_t>(provenance_group, "seed", provenance.seed);
    anndata::write_scalar<std::uint64_t>(provenance_group, "steps", provenance.steps);
    if (provenance.best_step > 0)
        anndata::write_scalar<std::uint64_t>(provenance_group, "best_step", provenance.best_step);
    anndata::write_string(provenance_group, "space", space_name(plan_.space, screen_.options.transform));
    anndata::write_string(provenance_group, "transform", screen_.options.transform.text());
    if (screen_.options.size_factor.is_set())
        anndata::write_string(provenance_group, "size_factor", screen_.options.size_factor.text());
    if (plan_.treatment_column == predicted_treatment_column)
        anndata::write_strings(provenance_group, "treatments",
                               layout.categories.at(predicted_treatment_column));
    anndata::write_array(provenance_group, "times", std::span<const double>(plan_.times),
                         {plan_.times.size()});
    if (!outside_.by_marker.empty()) {
        anndata::write_scalar<std::uint64_t>(provenance_group, "cells_outside_training_range",
                                             outside_.cells);
        const std::vector<std::uint64_t> by_marker(outside_.by_marker.begin(), outside_.by_marker.end());
        anndata::write_array(provenance_group, "cells_outside_training_range_by_marker",
                             std::span<const std::uint64_t>(by_marker), {by_marker.size()});
        anndata::write_string(provenance_group, "clipped", plan_.clip ? "yes" : "no");
    }
    if (plan_.latent != nullptr) write_latent_space(root, layout, provenance_group);
    anndata::write_strings(provenance_group, plan_.source_column, layout.categories.at(plan_.source_column));
    linalg::Matrix<float> kept(layout.sources.size(), described.embeddings.cols());
    std::vector<double> distances;
    for (std::size_t k = 0; k < layout.sources.size(); ++k) {
        std::ranges::copy(described.embeddings.view().row_span(layout.sources[k]), kept.view().row(k));
        distances.push_back(described.distances.at(layout.sources[k]));
    }
    anndata::write_array(provenance_group, "embeddings", std::span<const float>(kept.values()),
                         {kept.rows(), kept.cols()});
    anndata::write_array(provenance_group, "training_distance", std::span<const double>(distances),
                         {distances.size()});
}

// Creates the matrix of coordinates, and writes the components and the mean of the map back.
void PredictionFile::write_latent_space(h5::Group& root, const Layout& layout,
                                        h5::Group& provenance_group) const {
    const screen::LatentSpace& latent = *plan_.latent;
    h5::Dataset cells = root.create_dataset(latent_cells, h5::Element::float32, {layout.rows, latent.size()});
    h5::write_encoding(cells, "array", "0.2.0");
    linalg::Matrix<float> columns(latent.mean.size(), latent.size());
    for (std::size_t k = 0; k < columns.cols(); ++k) {
        for (std::size_t j = 0; j < columns.rows(); ++j) columns(j, k) = latent.components(k, j);
    }
    h5::Group varm = root.open_group("varm");
    anndata::write_array(varm, "latent_components", std::span<const float>(columns.values()),
                         {columns.rows(), columns.cols()});
    anndata::write_array(provenance_group, "latent_mean", std::span<const float>(latent.mean),
                         {latent.mean.size()});
    anndata::write_array(provenance_group, "latent_variance_share",
                         std::span<const double>(latent.variance_share), {latent.size()});
}

std::string prediction_layer(double time) {
    return "t=" + core::number_label(time);
}

void PredictionFile::write_blocks(h5::Group root, const Layout& layout) const {
    constexpr std::size_t max_cells = std::size_t{1} << 18;  // their strings take some tens of megabytes
    std::vector<Piece> pieces;
    std::size_t cells = 0;
    for (const auto& [prediction, blocks] : blocks_) {
        std::size_t first = layout.first[prediction];
        for (const Block& block : blocks) {
            if (cells + block.n > max_cells && !pieces.empty()) {
                write_pieces(root, layout, pieces);
                pieces.clear();
                cells = 0;
            }
            pieces.push_back({prediction, first, &block, scratch_.read<std::uint64_t>(block.rows, block.n)});
            first += block.n;
            cells += block.n;
        }
    }
    if (!pieces.empty()) write_pieces(root, layout, pieces);
}

void PredictionFile::write_pieces(h5::Group& root, const Layout& layout,
                                  const std::vector<Piece>& pieces) const {
    const std::size_t d = screen_.markers.size();
    for (std::size_t s = 0; s <= plan_.times.size(); ++s) {
        h5::Dataset x = root.open_dataset(s == 0 ? "X" : "layers/" + prediction_layer(plan_.times[s - 1]));
        for (const Piece& piece : pieces) {
            const auto values = scratch_.read<float>(piece.block->states[s], piece.block->n * d);
            x.write_rows(piece.first, std::span<const float>(values));
        }
    }
    if (plan_.latent != nullptr) {
        h5::Dataset z = root.open_dataset(latent_cells);
        for (const Piece& piece : pieces) {
            const auto values =
                scratch_.read<float>(piece.block->latent, piece.block->n * plan_.latent->size());
            z.write_rows(piece.first, std::span<const float>(values));
        }
    }
    h5::Group obs = root.open_group("obs");
    std::vector<anndata::RowSegment> segments;
    for (const Piece& piece : pieces) segments.push_back({piece.rows, piece.first});
    obs_.write(obs, segments);
    for (const auto& [name, categories] : layout.categories) {
        h5::Dataset codes = obs.open_dataset(name + "/codes");
        for (const Piece& piece : pieces) {
            const auto at = std::ranges::find(categories, label(plan_.predictions[piece.prediction], name));
            const auto code =
                at == categories.end() ? -1 : static_cast<std::int32_t>(at - categories.begin());
            const std::vector<std::int32_t> values(piece.rows.size(), code);
            codes.write_rows(piece.first, std::span<const std::int32_t>(values));
        }
    }
    const std::vector<std::string> names = obs_.obs_names(segments);
    h5::Dataset from = obs.open_dataset(predicted_cell_column);
    h5::Dataset index = obs.open_dataset("_index");
    std::size_t position = 0;
    for (const Piece& piece : pieces) {
        const auto piece_names = std::span(names).subspan(position, piece.rows.size());
        from.write_strings(piece.first, piece_names);
        std::vector<std::string> unique(piece_names.begin(), piece_names.end());
        if (has_repeated_cells_) {
            const Prediction& p = plan_.predictions[piece.prediction];
            for (std::string& name : unique)
                name += " / " + screen::condition_name(p.treatment, p.concentration);
        }
        index.write_strings(piece.first, unique);
        position += piece.rows.size();
    }
}

}  // namespace popflow::predict
