// SPDX-License-Identifier: MIT
#include <algorithm>

#include "core/text.hpp"
#include "eval/prediction_file.hpp"

namespace popflow::eval {

std::string prediction_layer(double time) {
    return "t=" + core::number_label(time);
}

void PredictionFile::write_own(h5::Group root, const Layout& layout) const {
    constexpr std::size_t at_once = std::size_t{1} << 18;  // cells, some tens of megabytes of strings
    std::vector<Piece> pieces;
    std::size_t cells = 0;
    for (const auto& [prediction, blocks] : own_) {
        std::size_t first = layout.first[prediction];
        for (const Block& block : blocks) {
            if (cells + block.n > at_once && !pieces.empty()) {
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
    h5::Group obs = root.open_group("obs");
    std::vector<data::RowSegment> segments;
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
        const auto own = std::span(names).subspan(position, piece.rows.size());
        from.write_strings(piece.first, own);
        std::vector<std::string> unique(own.begin(), own.end());
        if (repeats_) {
            const Prediction& p = plan_.predictions[piece.prediction];
            for (std::string& name : unique) name += " / " + condition_name(p.treatment, p.concentration);
        }
        index.write_strings(piece.first, unique);
        position += piece.rows.size();
    }
}

}  // namespace popflow::eval
