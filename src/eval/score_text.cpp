// SPDX-License-Identifier: MIT
#include "eval/score_text.hpp"

#include <type_traits>

namespace popflow::eval {

namespace {

template <class T>
requires std::is_trivially_copyable_v<T>
void put(std::string& text, const T& value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& text, const std::string& value) {
    put(text, value.size());
    text += value;
}

void put(std::string& text, const linalg::Matrix<float>& x) {
    put(text, x.rows());
    put(text, x.cols());
    text.append(reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float));
}

class Reader {
  public:
    explicit Reader(const std::string& text) : text_(text) {}
    bool done() const { return at_ == text_.size(); }
    template <class T>
    T next() {
        T value{};
        if constexpr (std::is_same_v<T, std::string>) {
            value.resize(next<std::size_t>());
            copy(value.data(), value.size());
        } else if constexpr (std::is_same_v<T, linalg::Matrix<float>>) {
            const auto rows = next<std::size_t>();
            const auto cols = next<std::size_t>();
            value = linalg::Matrix<float>(rows, cols);
            copy(value.data(), value.size() * sizeof(float));
        } else {
            copy(&value, sizeof value);
        }
        return value;
    }

  private:
    void copy(void* to, std::size_t bytes) {
        if (bytes > text_.size() - at_) throw core::Error("evaluation: a rank sent an incomplete message");
        at_ += text_.copy(static_cast<char*>(to), bytes, at_);  // `to` may be nullptr for 0 bytes
    }
    const std::string& text_;
    std::size_t at_ = 0;
};

void append_sample(const CellSample& sample, std::string& text) {
    put(text, sample.pair);
    put(text, sample.control);
    put(text, sample.predicted);
    put(text, sample.treated);
    put(text, sample.mean_shift);
    put(text, sample.times.size());
    for (std::size_t t = 0; t < sample.times.size(); ++t) {
        put(text, sample.times[t]);
        put(text, sample.flow[t]);
    }
}

CellSample read_sample(Reader& in) {
    CellSample sample{.pair = in.next<std::size_t>()};
    sample.control = in.next<linalg::Matrix<float>>();
    sample.predicted = in.next<linalg::Matrix<float>>();
    sample.treated = in.next<linalg::Matrix<float>>();
    sample.mean_shift = in.next<linalg::Matrix<float>>();
    const auto times = in.next<std::size_t>();
    for (std::size_t t = 0; t < times; ++t) {
        sample.times.push_back(in.next<double>());
        sample.flow.push_back(in.next<linalg::Matrix<float>>());
    }
    return sample;
}

}  // namespace

void serialise_pair(const ScoredPair& pair, std::string& text) {
    put(text, pair.pair);
    put(text, pair.embedding.size());
    for (float e : pair.embedding) put(text, e);
    put(text, pair.scores.size());
    for (const PairScore& row : pair.scores) {
        put(text, row.pair);
        put(text, row.predictor);
        put(text, row.scores);
        put(text, row.n_predicted);
        put(text, row.n_target);
        put(text, row.status);
        put(text, row.message);
        put(text, row.training_distance);
        put(text, row.seconds);
        put(text, row.rank);
    }
    put(text, pair.samples.size());
    for (const CellSample& sample : pair.samples) append_sample(sample, text);
}

void deserialise_pairs(const std::string& text, std::vector<ScoredPair>& pairs) {
    Reader in(text);
    while (!in.done()) {
        ScoredPair pair;
        pair.pair = in.next<std::size_t>();
        pair.embedding.resize(in.next<std::size_t>());
        for (float& e : pair.embedding) e = in.next<float>();
        pair.scores.resize(in.next<std::size_t>());
        for (PairScore& row : pair.scores) {
            row.pair = in.next<std::size_t>();
            row.predictor = in.next<std::string>();
            row.scores = in.next<metrics::Scores>();
            row.n_predicted = in.next<std::size_t>();
            row.n_target = in.next<std::size_t>();
            row.status = in.next<std::string>();
            row.message = in.next<std::string>();
            row.training_distance = in.next<double>();
            row.seconds = in.next<double>();
            row.rank = in.next<int>();
        }
        const auto samples = in.next<std::size_t>();
        for (std::size_t s = 0; s < samples; ++s) pair.samples.push_back(read_sample(in));
        pairs.push_back(std::move(pair));
    }
}

}  // namespace popflow::eval
