// SPDX-License-Identifier: MIT
#include "eval/evaluator.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <thread>

#include "eval/pair_scoring.hpp"
#include "eval/partial_results.hpp"
#include "eval/results.hpp"
#include "mpi/partition.hpp"
#include "mpi/work_queue.hpp"
#include "predict/prediction_file.hpp"

namespace popflow::eval {

namespace {

// What there is to do: pairs, longest first, in the portions in which they are handed out.
struct Schedule {
    std::vector<std::size_t> pairs;
    std::vector<std::size_t> first;  ///< of each portion, and the end
};

Schedule schedule(const screen::Screen& screen, std::vector<std::size_t> pairs, std::size_t max_cells,
                  const mpi::Communicator& comm) {
    const auto cost = [&](std::size_t p) {
        const screen::PopulationPair& pair = screen.pairs[p];
        return std::min(max_cells, screen.populations[pair.control].n_cells) *
               std::min(max_cells, screen.populations[pair.treated].n_cells);
    };
    std::ranges::stable_sort(pairs, std::greater<>(), cost);
    // All ranks have to cut alike, also where they have other numbers of threads.
    std::array<std::int64_t, 1> threads{omp_get_max_threads()};
    comm.sum(threads);
    const auto ranks = static_cast<std::size_t>(comm.size());
    Schedule schedule{.pairs = std::move(pairs), .first = {0}};
    for (const std::size_t n :
         mpi::guided_chunks(schedule.pairs.size(), ranks, static_cast<std::size_t>(threads[0]) / ranks))
        schedule.first.push_back(schedule.first.back() + n);
    return schedule;
}

// Hands out the work and tells how it goes, until all is done or the evaluation is to stop.
class Rounds {
  public:
    Rounds(std::size_t portions, std::size_t kept, std::size_t pairs, const EvaluationControl& control,
           const mpi::Communicator& comm)
        : queue_(portions, comm), kept_(kept), pairs_(pairs), control_(control), root_(comm.root()) {}

    std::optional<std::size_t> next() {
        if (control_.stop && control_.stop()) queue_.close();
        return queue_.next();
    }
    void finish(std::size_t pairs) {
        queue_.finish(pairs);
        report();
    }
    // Rank 0 has no more work: it goes on to show how far the others are.
    void wait() {
        while (root_ && !queue_.ended()) {
            report();
            if (control_.stop && control_.stop()) queue_.close();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        report();
    }

  private:
    void report() {
        if (!root_) return;
        const std::size_t done = kept_ + queue_.finished();
        if (control_.progress && done != shown_) control_.progress(done, pairs_);
        shown_ = done;
    }

    mpi::WorkQueue queue_;
    std::size_t kept_;
    std::size_t pairs_;
    const EvaluationControl& control_;
    bool root_;
    std::size_t shown_ = 0;
};

}  // namespace

const std::vector<std::string>& metric_names() {
    static const std::vector<std::string> names{"w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers"};
    return names;
}

const std::vector<std::string>& all_metric_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = metric_names();
        all.emplace_back("sinkhorn");
        return all;
    }();
    return names;
}

double metric(const metrics::Scores& s, const std::string& name) {
    const double values[] = {s.w1, s.w2, s.mmd, s.r2, s.energy, s.r2_means, s.w1_markers, s.sinkhorn};
    const auto at = std::ranges::find(all_metric_names(), name) - all_metric_names().begin();
    return at < std::ssize(values) ? values[at] : metrics::Scores::none;
}

metrics::Selection selection(const EvaluateOptions& options) {
    const auto has = [&](const char* name) {
        return std::ranges::find(options.metrics, name) != options.metrics.end();
    };
    metrics::SinkhornDivergenceOptions sinkhorn{.epsilon = options.sinkhorn_epsilon};
    if (options.sinkhorn_rho > 0) sinkhorn.rho = options.sinkhorn_rho;
    return {.w1 = has("w1"),
            .w2 = has("w2"),
            .mmd = has("mmd"),
            .r2 = has("r2"),
            .energy = has("energy"),
            .r2_means = has("r2_means"),
            .w1_markers = has("w1_markers"),
            .sinkhorn = has("sinkhorn"),
            .sinkhorn_options = sinkhorn};
}

const std::vector<std::string>& predictor_names() {
    static const std::vector<std::string> names{"model", "identity", "mean_shift", "oracle_shift",
                                                "noise_floor"};
    return names;
}

Evaluation evaluate(const screen::Screen& screen, std::span<const std::size_t> pairs,
                    const predict::TrainedModel& flow, const EvaluateOptions& options,
                    const EvaluationControl& control, const mpi::Communicator& comm) {
    const predict::ScreenReader inputs(screen, flow);
    const ScoringJob job{screen, pairs, flow, inputs, options, control.predictions};
    std::set<std::size_t> kept;
    if (control.partial != nullptr)
        kept.insert(control.partial->kept_pairs().begin(), control.partial->kept_pairs().end());
    std::vector<std::size_t> fresh;
    for (const std::size_t p : pairs) {
        if (!kept.contains(p)) fresh.push_back(p);
    }
    const Schedule work = schedule(screen, fresh, options.max_cells, comm);
    // Pairs that were kept have no predicted cells: those are made again, each a portion behind the others.
    const std::vector<std::size_t> again(kept.begin(),
                                         control.predictions != nullptr ? kept.end() : kept.begin());
    const std::size_t portions = work.first.size() - 1;

    std::string text;
    std::array<std::int64_t, 1> undone{static_cast<std::int64_t>(portions + again.size())};
    if (!comm.root()) undone[0] = 0;
    {
        Rounds rounds(portions + again.size(), kept.size(), pairs.size(), control, comm);
        while (const std::optional<std::size_t> k = rounds.next()) {
            --undone[0];
            if (*k >= portions) {
                predict_again(job, again[*k - portions]);
                continue;
            }
            const std::size_t first = work.first[*k];
            const std::size_t count = work.first[*k + 1] - first;
            for (ScoredPair& pair : score_pairs(job, std::span(work.pairs).subspan(first, count))) {
                for (PairScore& row : pair.scores) row.rank = comm.rank();
                if (control.partial != nullptr) control.partial->add(pair);
                append_text(pair, text);
            }
            rounds.finish(count);
        }
        rounds.wait();
    }
    comm.sum(undone);
    Evaluation evaluation;
    evaluation.stopped = undone[0] > 0;
    std::vector<ScoredPair> all;
    if (control.partial != nullptr) all = control.partial->kept();
    for (const std::string& part : comm.gather(text)) read_text(part, all);
    std::ranges::sort(all, {}, &ScoredPair::pair);

    evaluation.embeddings = linalg::Matrix<float>(all.size(), comm.root() ? flow.model.context_size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        evaluation.pairs.push_back(all[i].pair);
        for (PairScore& row : all[i].scores) evaluation.scores.push_back(std::move(row));
        std::ranges::copy(all[i].embedding, evaluation.embeddings.view().row(i));
        for (CellSample& sample : all[i].samples) {
            sample.name = screen::pair_name(screen, sample.pair);
            evaluation.samples.push_back(std::move(sample));
        }
    }
    return evaluation;
}

}  // namespace popflow::eval
