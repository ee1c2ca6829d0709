// SPDX-License-Identifier: MIT
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "apps/generate.hpp"
#include "apps/population_mode.hpp"
#include "apps/run_folder.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "core/text.hpp"
#include "options/run_config.hpp"
#include "predict/predictor.hpp"
#include "predict/run_model.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace popflow::python {

namespace {

// Returns the facts about a run that need no data.
nb::dict describe_run(const std::string& run) {
    Call call;
    const train::Checkpoint checkpoint = call.run([&] { return predict::read_run(run); });
    nb::dict about;
    about["method"] = checkpoint.family->name();
    about["markers"] = checkpoint.markers;
    about["cell_types"] = checkpoint.cell_types;
    nb::dict treatments;
    for (const screen::Conditions::Treatment& treatment : checkpoint.conditions.treatments())
        treatments[treatment.name.c_str()] = treatment.concentrations;
    about["treatments"] = treatments;
    about["steps"] = checkpoint.result_step();
    about["generates"] = apps::generates_populations(checkpoint);
    about["selection"] = checkpoint.selection;
    nb::dict config;
    for (const auto& [key, value] : core::key_values(checkpoint.config)) config[key.c_str()] = value;
    about["config"] = config;
    return about;
}

// Embeddings of control populations, with the labels of the populations.
struct Embeddings {
    std::vector<screen::Population> populations;
    std::vector<std::string> names;
    linalg::Matrix<float> values;
};

Embeddings embed_file(const apps::Arguments& arguments, bool all_are_controls) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{general, run_folder, options::Section::data, transport,
                                                 options::Section::predict};
    table.parse(arguments, sections, nullptr);
    train::Checkpoint checkpoint = apps::open_run(config, table, arguments, sections);
    const predict::RunModel trained(std::move(checkpoint));
    config.screen.all_are_controls = all_are_controls;
    const screen::Screen screen = apps::open_run_screen(config, trained.checkpoint(), false);
    std::vector<std::size_t> controls;
    Embeddings embeddings;
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        if (!screen.populations[p].control) continue;
        controls.push_back(p);
        embeddings.populations.push_back(screen.populations[p]);
        embeddings.names.push_back(screen::population_label(screen, p));
    }
    embeddings.values = predict::embed_controls(
        screen, controls, trained.trained(),
        {.max_cells = config.evaluate.max_cells, .draw = config.evaluate.draw, .seed = config.evaluate.seed});
    return embeddings;
}

nb::dict embed(const apps::Arguments& arguments, bool all_are_controls) {
    Call call;
    const Embeddings embeddings = call.run([&] { return embed_file(arguments, all_are_controls); });
    nb::dict labels;
    labels["population"] = embeddings.names;
    const std::pair<const char*, std::string screen::Population::*> columns[] = {
        {"patient", &screen::Population::patient},     {"culture", &screen::Population::culture},
        {"treatment", &screen::Population::treatment}, {"concentration", &screen::Population::concentration},
        {"replicate", &screen::Population::replicate}, {"plate", &screen::Population::plate}};
    for (const auto& [name, member] : columns) {
        std::vector<std::string> values;
        for (const screen::Population& population : embeddings.populations)
            values.push_back(population.*member);
        labels[name] = values;
    }
    std::vector<std::size_t> cells;
    for (const screen::Population& population : embeddings.populations) cells.push_back(population.n_cells);
    labels["n_cells"] = cells;
    nb::dict result;
    result["labels"] = labels;
    const std::span<const float> values = embeddings.values.values();
    result["values"] = to_numpy(std::vector<float>(values.begin(), values.end()),
                                {embeddings.values.rows(), embeddings.values.cols()});
    return result;
}

}  // namespace

void bind_models(nb::module_& module) {
    module.def("describe_run", &describe_run, "run"_a, "Reads the run folder of a trained model.");
    module.def("embed", &embed, "arguments"_a, "all_are_controls"_a,
               "Embeds the control populations of a file by a trained model.");
}

}  // namespace popflow::python
