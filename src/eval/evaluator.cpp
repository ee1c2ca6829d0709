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

// Pairs, most expensive first, cut into chunks.
struct ChunkSchedule {
    std::vector<std::size_t> pairs;
    std::vector<std::size_t> first;  ///< index of the first pair of each chunk, then pairs.size()
};

ChunkSchedule schedule_chunks(const screen::Screen& screen, std::vector<std::size_t> pairs,
                              std::size_t max_cells, const mpi::Communicator& comm) {
    const auto cost = [&](std::size_t p) {
        const screen::PopulationPair& pair = screen.pairs[p];
        return std::min(max_cells, screen.populations[pair.control].n_cells) *
               std::min(max_cells, screen.populations[pair.treated].n_cells);
    };
    std::ranges::stable_sort(pairs, std::greater<>(), cost);
    // All ranks must compute the same chunks, even if their numbers of threads differ.
    std::array<std::int64_t, 1> threads{omp_get_max_threads()};
    comm.sum(threads);
    const auto ranks = static_cast<std::size_t>(comm.size());
    ChunkSchedule schedule{.pairs = std::move(pairs), .first = {0}};
    for (const std::size_t n :
         mpi::guided_chunks(schedule.pairs.size(), ranks, static_cast<std::size_t>(threads[0]) / ranks))
        schedule.first.push_back(schedule.first.back() + n);
    return schedule;
}

// Work loop of a rank: fetches chunks and reports the progress until all work is finished or a stop is
// requested.
class WorkLoop {
  public:
    // @param items  number of work items of all ranks
    // @param kept  number of pairs that an earlier evaluation scored
    // @param pairs  number of all pairs
    WorkLoop(std::size_t items, std::size_t kept, std::size_t pairs, const EvaluationControl& control,
             const mpi::Communicator& comm)
        : queue_(items, comm), kept_(kept), pairs_(pairs), control_(control), root_(comm.is_root()) {}

    // Returns the next work item, or none if the work is finished or a stop was requested.
    std::optional<std::size_t> next() {
        if (control_.stop && control_.stop()) queue_.close();
        return queue_.next();
    }
    // Reports pairs of this rank as finished.
    void finish(std::size_t pairs) {
        queue_.add_finished(pairs);
        report();
    }
    // On rank 0, reports the progress of the other ranks until they have finished. Returns at once on other
    // ranks.
    void wait_for_others() {
        while (root_ && !queue_.has_ended()) {
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
        if (control_.progress && done != reported_) control_.progress(done, pairs_);
        reported_ = done;
    }

    mpi::WorkQueue queue_;
    std::size_t kept_;
    std::size_t pairs_;
    const EvaluationControl& control_;
    bool root_;
    std::size_t reported_ = 0;
};

}  // namespace

metrics::Selection selection(const EvaluateOptions& options) {
    metrics::Selection selection = metrics::select_metrics(options.metrics);
    selection.sinkhorn_options.epsilon = options.sinkhorn_epsilon;
    if (options.sinkhorn_rho > 0) selection.sinkhorn_options.rho = options.sinkhorn_rho;
    return selection;
}

Evaluation evaluate(const screen::Screen& screen, std::span<const std::size_t> pairs,
                    const predict::TrainedModel& trained, const EvaluateOptions& options,
                    const EvaluationControl& control, const mpi::Communicator& comm) {
    const predict::ScreenReader reader(screen, trained);
    const ScoringJob job{screen, pairs, trained, reader, options, control.predictions};
    std::set<std::size_t> kept;
    if (control.partial != nullptr)
        kept.insert(control.partial->kept_pairs().begin(), control.partial->kept_pairs().end());
    std::vector<std::size_t> unscored;
    for (const std::size_t p : pairs) {
        if (!kept.contains(p)) unscored.push_back(p);
    }
    const ChunkSchedule schedule = schedule_chunks(screen, unscored, options.max_cells, comm);
    // Partial results contain no predicted cells. The prediction file needs them, so they are computed again.
    // Each of these pairs is a work item after the chunks.
    const std::vector<std::size_t> repredicted(kept.begin(),
                                               control.predictions != nullptr ? kept.end() : kept.begin());
    const std::size_t chunks = schedule.first.size() - 1;
    const std::size_t items = chunks + repredicted.size();

    std::string text;
    // Number of items minus those that the ranks fetched, as a sum over the ranks.
    std::array<std::int64_t, 1> unfinished{static_cast<std::int64_t>(items)};
    if (!comm.is_root()) unfinished[0] = 0;
    {
        WorkLoop work_loop(items, kept.size(), pairs.size(), control, comm);
        while (const std::optional<std::size_t> k = work_loop.next()) {
            --unfinished[0];
            if (*k >= chunks) {
                predict_again(job, repredicted[*k - chunks]);
                continue;
            }
            const std::size_t first = schedule.first[*k];
            const std::size_t count = schedule.first[*k + 1] - first;
            for (ScoredPair& pair : score_pairs(job, std::span(schedule.pairs).subspan(first, count))) {
                for (PairScore& row : pair.scores) row.rank = comm.rank();
                if (control.partial != nullptr) control.partial->add(pair);
                serialise_pair(pair, text);
            }
            work_loop.finish(count);
        }
        work_loop.wait_for_others();
    }
    comm.sum(unfinished);
    Evaluation evaluation;
    evaluation.stopped = unfinished[0] > 0;
    std::vector<ScoredPair> all;
    if (control.partial != nullptr) all = control.partial->kept();
    for (const std::string& part : comm.gather(text)) deserialise_pairs(part, all);
    std::ranges::sort(all, {}, &ScoredPair::pair);

    evaluation.embeddings =
        linalg::Matrix<float>(all.size(), comm.is_root() ? trained.model.context_size() : 0);
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
