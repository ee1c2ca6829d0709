// SPDX-License-Identifier: MIT
#include "inspect/inspection_json.hpp"

#include "inspect/inspection_summary.hpp"
#include "inspect/json_writer.hpp"

namespace popflow::inspect {

namespace {

void write_sizes(JsonWriter& json, const SizeRange& sizes) {
    json.member("populations", sizes.n).member("cells", sizes.n_cells);
    json.member("smallest", sizes.smallest).member("median", sizes.median).member("largest", sizes.largest);
}

void write_doses(JsonWriter& json, const InspectionSummary& summary) {
    json.key("doses").begin_array();
    for (const DoseSummary& dose : summary.doses) {
        json.begin_object();
        json.member("treatment", dose.treatment).member("concentration", dose.concentration);
        json.member("control", dose.control);
        write_sizes(json, dose.sizes);
        json.member("pairs", dose.n_pairs).end();
    }
    json.end();
}

void write_populations(JsonWriter& json, const screen::Screen& screen) {
    json.key("populations").begin_array();
    for (const screen::Population& p : screen.populations) {
        json.begin_object();
        json.member("experiment", screen.experiments[p.experiment].label);
        json.member("patient", p.patient).member("culture", p.culture).member("plate", p.plate);
        json.member("replicate", p.replicate).member("treatment", p.treatment);
        json.member("concentration", p.concentration).member("control", p.control);
        json.member("cells", p.n_cells).end();
    }
    json.end();
}

void write_pairs(JsonWriter& json, const screen::Screen& screen, const screen::Split* split) {
    json.key("pairs").begin_array();
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) {
        json.begin_object();
        json.member("control", screen.pairs[p].control).member("treated", screen.pairs[p].treated);
        if (split != nullptr) json.member("part", screen::part_name(split->parts[p]));
        json.end();
    }
    json.end();
}

void write_split(JsonWriter& json, const InspectionSummary& summary, const screen::Split& split) {
    json.key("split").begin_object().member("spec", split.spec);
    for (const screen::Part part : {screen::Part::train, screen::Part::validation, screen::Part::test}) {
        json.member(screen::part_name(part), split.pairs(part).size());
    }
    json.key("groups").begin_array();
    for (const auto& [group, counts] : summary.pairs) {
        json.begin_object().member("culture", group.first).member("patient", group.second);
        for (const screen::Part part : {screen::Part::train, screen::Part::validation, screen::Part::test}) {
            json.member(screen::part_name(part), counts[static_cast<std::size_t>(part)]);
        }
        json.end();
    }
    json.end().end();
}

void write_dropped(JsonWriter& json, const screen::Screen& screen) {
    json.key("dropped").begin_array();
    for (const screen::Dropped& dropped : screen.dropped) {
        const char* kind = dropped.kind == screen::Dropped::Kind::rows         ? "rows"
                           : dropped.kind == screen::Dropped::Kind::population ? "population"
                                                                               : "experiment";
        json.begin_object().member("kind", kind).member("what", dropped.what);
        json.member("cells", dropped.n_cells).member("why", dropped.why).end();
    }
    json.end();
}

}  // namespace

std::string inspection_json(const screen::Screen& screen, const screen::Split* split) {
    const InspectionSummary summary = summarise(screen, split);
    JsonWriter json;
    json.begin_object();
    json.member("file", screen.file).member("fingerprint", screen.fingerprint);
    json.member("cells", screen.n_obs).member("columns_of_x", screen.n_vars).member("x", screen.x_text);
    json.member("markers", screen.markers).member("transform", screen.options.transform.text());
    json.member("patients", summary.patients).member("cultures", summary.cultures);
    json.member("plates", summary.plates).member("replicates", summary.replicates);
    json.member("cell_types", screen.cell_types).member("treatments", screen.treatments);
    json.member("pair_by", screen.options.pair_by).member("control_labels", screen.options.control_labels);
    json.member("minimum_cells", screen.options.min_cells);
    json.member("paired_doses", screen.options.doses == screen::Doses::highest ? "highest" : "all");
    json.member("experiments_found", screen.experiments_found);
    json.member("experiments_kept", screen.experiments.size());
    json.member("populations_found", screen.populations_found);
    json.key("populations_kept").begin_object();
    write_sizes(json, summary.populations);
    json.end();
    write_doses(json, summary);
    write_populations(json, screen);
    write_pairs(json, screen, split);
    if (split != nullptr) write_split(json, summary, *split);
    write_dropped(json, screen);
    return json.end().text();
}

}  // namespace popflow::inspect
