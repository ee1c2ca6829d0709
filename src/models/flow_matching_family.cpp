// SPDX-License-Identifier: MIT
#include "models/flow_matching_family.hpp"

#include <functional>
#include <limits>

#include "core/error.hpp"

namespace popflow::models {

using core::Affects;

namespace {

constexpr std::size_t any_count = std::numeric_limits<std::int64_t>::max();

// Settings of the learned encoder and of its training.
constexpr const char* learned_settings[] = {"knn",
                                            "embedding",
                                            "embedding-norm",
                                            "encoder-hidden",
                                            "encoder-layers",
                                            "encoder-activation",
                                            "encoder-frequencies",
                                            "encoder-scale",
                                            "updates"};

class FlowMatchingFamily : public Family {
  public:
    FlowMatchingFamily(std::string name, std::string summary, Context context)
        : name_(std::move(name)), summary_(std::move(summary)), context_(context) {}

    std::string name() const override { return name_; }
    std::string summary() const override { return summary_; }
    std::unique_ptr<Settings> make_settings() const override {
        return std::make_unique<FlowMatchingSettings>();
    }
    std::string settings_name() const override { return "flow-matching"; }

    // The authors couple control and treated cells of FM and CGFM by transport, and report the reduced loss.
    // They do neither with a Gaussian base. MFM has a linear encoder and alternating updates.
    OptionValues defaults(Recipe recipe, const Settings& settings) const override {
        if (recipe == Recipe::popflow) return {};
        OptionValues values{{"time-highest", "1"}};
        const bool from_source = shape_of(settings).base == Base::source;
        if (from_source) values.emplace_back("loss", "reduced");
        if (from_source && context_ != Context::population) values.emplace_back("coupling", "ot");
        if (context_ != Context::population || fixed_encoder(settings).kind != nullptr) return values;
        values.emplace_back("updates", "alternate");
        values.emplace_back("encoder-activation", "none");
        values.emplace_back("encoder-frequencies", "0");
        return values;
    }

    // Chosen on the EGF time course and on simulated screens, see docs/choosing.md. Deep rather than wide.
    OptionValues small_screen_defaults(const Settings& settings) const override {
        OptionValues values{{"hidden", "128"}, {"layers", "5"}, {"steps", "600"}, {"cells", "256"}};
        if (shape_of(settings).base == Base::source) values.emplace_back("coupling", "ot");
        if (!has_learned_encoder(settings)) return values;
        values.emplace_back("embedding", "32");
        values.emplace_back("knn", "20");
        return values;
    }

    // A graph of all other cells is the largest that a slot has, so that a larger number means this graph.
    std::vector<std::string> adapt(
        Settings& settings, const DataShape& /*data*/, std::size_t min_cells,
        const std::function<bool(const std::string&)>& /*is_given*/) const override {
        const std::size_t knn = shape_of(settings).encoder.knn;
        if (!has_learned_encoder(settings) || knn < min_cells || min_cells == 0) return {};
        assign(settings, "knn", std::uint64_t{min_cells - 1});
        return {"--knn " + std::to_string(knn) + " is more than the smallest slot of " +
                std::to_string(min_cells) + " cells has neighbours: " + std::to_string(min_cells - 1) +
                " is used"};
    }

    void check(const Settings& settings, const DataShape& /*data*/, std::size_t min_cells) const override {
        const std::size_t knn = shape_of(settings).encoder.knn;
        if (!has_learned_encoder(settings) || knn < min_cells) return;
        throw core::ConfigError(
            "knn", "found " + std::to_string(knn) + ", but the smallest training population draws " +
                       std::to_string(min_cells) + " cells. Use --knn " + std::to_string(min_cells - 1) +
                       " or less, or raise --min-cells and --cells");
    }

    bool supports_bf16() const override { return true; }
    bool indexes_pairs() const override { return context_ == Context::pair_index; }

    EncoderChoice fixed_encoder(const Settings& settings) const override {
        if (context_ != Context::population) return {};
        return parse_encoder(dynamic_cast<const FlowMatchingSettings&>(settings).encoder);
    }
    std::map<std::string, std::string> unused_settings(const Settings& settings) const override {
        std::map<std::string, std::string> unused;
        const EncoderChoice choice = fixed_encoder(settings);
        if (choice.kind == nullptr) return unused;
        for (const char* name : learned_settings) unused[name] = "--encoder " + choice.kind->name();
        return unused;
    }

    Constants draw_constants(const Settings& settings, const DataShape& data,
                             std::uint64_t seed) const override {
        Constants constants;
        constants.matrices.emplace("frequencies", draw_frequencies(with_sizes(settings, data), seed));
        return constants;
    }

    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data, const Constants& constants,
                                linalg::Precision precision) const override {
        FlowMatchingShape shape = with_sizes(settings, data);
        shape.precision = precision;
        if (const EncoderChoice choice = fixed_encoder(settings); choice.kind != nullptr) {
            shape.fixed_encoder = choice.kind->make(constants.encoder,
                                                    {.markers = data.markers, .cell_types = data.cell_types});
        }
        const auto frequencies = constants.matrices.find("frequencies");
        return std::make_unique<FlowMatching>(
            shape, frequencies == constants.matrices.end() ? linalg::Matrix<float>() : frequencies->second);
    }

  private:
    static const FlowMatchingShape& shape_of(const Settings& settings) {
        return dynamic_cast<const FlowMatchingSettings&>(settings).shape;
    }

    bool has_learned_encoder(const Settings& settings) const {
        return context_ == Context::population && fixed_encoder(settings).kind == nullptr;
    }

    FlowMatchingShape with_sizes(const Settings& settings, const DataShape& data) const {
        FlowMatchingShape shape = shape_of(settings);
        shape.context = context_;
        shape.markers = data.markers;
        shape.cell_types = data.cell_types;
        shape.conditions = data.conditions;
        shape.training_pairs = data.training_pairs;
        return shape;
    }

    std::string name_;
    std::string summary_;
    Context context_;
};

}  // namespace

void FlowMatchingSettings::visit(FieldVisitor& visitor) {
    // Returns the description of a setting that only mfm uses.
    const auto mfm = [](const char* name, const char* help, Affects affects = Affects::training) {
        return Field{.name = name, .help = help, .affects = affects, .methods = {"mfm"}};
    };
    EncoderShape& learned = shape.encoder;
    visitor.choice({.name = "base",
                    .help = "start of the flow: control cells or Gaussian noise",
                    .affects = Affects::label,
                    .is_exclusive = true},
                   shape.base, {"source", "gaussian"});
    visitor.text(
        {.name = "encoder",
         .help = "description of the control population that mfm gets: learned (default), an embedding "
                 "that is trained with the model, or a fixed function of the population's statistics. " +
                 encoder_summaries(),
         .affects = Affects::label,
         .methods = {"mfm"},
         .is_exclusive = true,
         .omits_default = true},
        encoder, {.argument = encoder_forms(), .normalise = [](const std::string& text) {
                      return parse_encoder(text).text();
                  }});
    visitor.count(
        mfm("knn", "number of nearest neighbours in the encoder's graph, 0 for a DeepSet", Affects::label),
        learned.knn, 0, any_count);
    visitor.count({.name = "hidden", .help = "width of the velocity network"}, shape.hidden, 1, max_width);
    visitor.count({.name = "layers", .help = "number of hidden layers of the velocity network"}, shape.layers,
                  1, max_layers);
    visitor.count(mfm("embedding", "number of values of the population embedding"), learned.embedding, 1,
                  max_width);
    visitor.number(mfm("embedding-norm", "Euclidean norm of the population embedding (published: 1)"),
                   learned.norm, 1e-6, 1e6);
    visitor.choice({.name = "modulation",
                    .help = "use of the context: none, only as an input of the velocity network, or film, "
                            "which also scales the outputs of its hidden layers"},
                   shape.modulation, {"none", "film"});
    visitor.count(mfm("encoder-hidden", "width of the encoder"), learned.hidden, 1, max_width);
    visitor.count(mfm("encoder-layers", "number of graph convolutions of the encoder"), learned.layers, 1,
                  100);
    visitor.choice(mfm("encoder-activation", "activation between the layers of the encoder"),
                   learned.activation, {"relu", "none"});
    visitor.count({.name = "time-frequencies", .help = "number of frequencies of flow time"},
                  shape.time_frequencies, 1, max_width);
    visitor.number(
        {.name = "time-highest", .help = "highest frequency of flow time, in radians over the whole flow"},
        shape.time_highest, 0, 1e6);
    visitor.number(
        {.name = "time-max-period", .help = "ratio of the longest to the shortest period of flow time"},
        shape.time_max_period, 1, 1e9);
    visitor.count({.name = "space-frequencies",
                   .help = "number of random Fourier frequencies of a cell in the velocity network"},
                  shape.space_frequencies, 0, max_width);
    visitor.number(
        {.name = "space-scale", .help = "standard deviation of the frequencies of --space-frequencies"},
        shape.space_scale, 0, 1e3);
    visitor.count(mfm("encoder-frequencies", "number of random Fourier frequencies of a cell in the encoder"),
                  learned.frequencies, 0, max_width);
    visitor.number(mfm("encoder-scale", "standard deviation of the frequencies of --encoder-frequencies"),
                   learned.frequency_scale, 0, 1e3);
    visitor.choice({.name = "updates",
                    .help = "updates of velocity and encoder of mfm: both in each step, or alternating, with "
                            "cached embeddings",
                    .methods = {"mfm"},
                    .group = FieldGroup::training,
                    .is_exclusive = true},
                   shape.updates, {"joint", "alternate"});
    visitor.choice({.name = "loss",
                    .help = "reported loss, with or without the constant ||x1 - x0||^2",
                    .affects = Affects::reported,
                    .group = FieldGroup::training,
                    .is_exclusive = true},
                   shape.loss, {"full", "reduced"});
}

const Family* fm_family() {
    static const FlowMatchingFamily family("fm", "flow matching whose velocity depends on no population",
                                           Context::none);
    return &family;
}

const Family* cgfm_family() {
    static const FlowMatchingFamily family(
        "cgfm", "flow matching whose velocity depends on the training pair", Context::pair_index);
    return &family;
}

const Family* mfm_family() {
    static const FlowMatchingFamily family(
        "mfm", "Meta Flow Matching, whose velocity depends on an embedding of the control population",
        Context::population);
    return &family;
}

}  // namespace popflow::models
