// SPDX-License-Identifier: MIT
#include "linalg/onednn_product.hpp"

#include <array>
#include <unordered_map>

#include "linalg/row_blocks.hpp"

namespace popflow::linalg::onednn {

namespace {

Description product_description(const dnnl_memory_desc_t& a, const dnnl_memory_desc_t& b,
                                const dnnl_memory_desc_t& c, bool accumulate) {
    Attributes attributes;
    check(dnnl_primitive_attr_create(attributes.out()));
    check(dnnl_primitive_attr_set_scratchpad_mode(attributes.get(), dnnl_scratchpad_mode_user));
    PostOps post;
    check(dnnl_post_ops_create(post.out()));
    if (accumulate) {
        check(dnnl_post_ops_append_sum(post.get(), 1.0F));
        check(dnnl_primitive_attr_set_post_ops(attributes.get(), post.get()));
    }
    dnnl_matmul_desc_t operation;
    check(dnnl_matmul_desc_init(&operation, &a, &b, nullptr, &c));
    Description description;
    check(dnnl_primitive_desc_create(description.out(), &operation, attributes.get(), engine(), nullptr));
    return description;
}

// Matrix product of fixed shape: a primitive and the memory objects of its operands. Used by one thread.
struct Product {
    Primitive primitive;
    Memory a, b, c, scratch;
};

// Properties of a product that determine its primitive. b_stride 0 stands for the packed layout.
struct Key {
    std::size_t m, n, k, a_stride, b_stride, c_stride;
    dnnl_data_type_t type;
    bool accumulate;
    bool operator==(const Key&) const = default;
};

struct KeyHash {
    std::size_t operator()(const Key& key) const {
        std::size_t h = static_cast<std::size_t>(key.type) * 2 + static_cast<std::size_t>(key.accumulate);
        for (std::size_t v : {key.m, key.n, key.k, key.a_stride, key.b_stride, key.c_stride}) {
            h = (h ^ v) * 0x9E3779B97F4A7C15U;
            h ^= h >> 32U;
        }
        return h;
    }
};

void make_product(Product& product, const Key& key, const dnnl_memory_desc_t& a, const dnnl_memory_desc_t& b,
                  const dnnl_memory_desc_t& c) {
    const SingleThreadPlanning single_thread;
    const CodeMemoryProbe probe;
    const Description description = product_description(a, b, c, key.accumulate);
    check(dnnl_primitive_create(product.primitive.out(), description.get()));
    product.a = memory_at(a, DNNL_MEMORY_NONE);
    if (key.b_stride > 0) product.b = memory_at(b, DNNL_MEMORY_NONE);
    product.c = memory_at(c, DNNL_MEMORY_NONE);
    const dnnl_memory_desc_t* scratch =
        dnnl_primitive_desc_query_md(description.get(), dnnl_query_scratchpad_md, 0);
    product.scratch = memory_at(*scratch, DNNL_MEMORY_NONE);
}

// Returns the scratch memory of the calling thread. It grows to the need of its largest product.
void* thread_scratch(const Product& product) {
    thread_local AlignedVector<std::byte> buffer;
    const dnnl_memory_desc_t* desc = nullptr;
    check(dnnl_memory_get_memory_desc(product.scratch.get(), &desc));
    const std::size_t size = dnnl_memory_desc_get_size(desc);
    if (buffer.size() < size) buffer.resize(size);
    return buffer.data();
}

void execute(Product& product, const void* a, dnnl_memory_t b, void* c) {
    check(dnnl_memory_set_data_handle(product.a.get(), const_cast<void*>(a)));
    check(dnnl_memory_set_data_handle(product.c.get(), c));
    check(dnnl_memory_set_data_handle(product.scratch.get(), thread_scratch(product)));
    const std::array<dnnl_exec_arg_t, 4> arguments{{{DNNL_ARG_SRC, product.a.get()},
                                                    {DNNL_ARG_WEIGHTS, b},
                                                    {DNNL_ARG_DST, product.c.get()},
                                                    {DNNL_ARG_SCRATCHPAD, product.scratch.get()}}};
    check(dnnl_primitive_execute(product.primitive.get(), stream(), static_cast<int>(arguments.size()),
                                 arguments.data()));
}

// Maximum number of cached products per thread. Each size of a population needs its own, of about 27 KB, so
// the cache holds at most about 110 MB.
constexpr std::size_t max_products = 4096;

// Returns the calling thread's product for `key`. Creates it with make(product) at its first use. The
// reference is valid until the next call, because a full cache is cleared.
template <class Make>
Product& product_for(const Key& key, const Make& make) {
    thread_local std::unordered_map<Key, Product, KeyHash> known;
    if (known.size() >= max_products && !known.contains(key)) known.clear();
    const auto [at, inserted] = known.try_emplace(key);
    if (inserted) {
        try {
            make(at->second);
        } catch (...) {
            known.erase(at);
            throw;
        }
    }
    return at->second;
}

}  // namespace

// Asks oneDNN for its preferred layout. It is queried for a left factor of block_rows rows, so that it
// depends on the shape and type of b only.
template <class T>
void Packed<T>::choose_layout(std::size_t k, std::size_t n) {
    const dnnl_data_type_t type = type_of(static_cast<T*>(nullptr));
    dnnl_memory_desc_t any;
    const dnnl_dims_t dims = {static_cast<dnnl_dim_t>(k), static_cast<dnnl_dim_t>(n)};
    check(dnnl_memory_desc_init_by_tag(&any, 2, dims, type, dnnl_format_tag_any));
    const SingleThreadPlanning single_thread;
    const CodeMemoryProbe probe;
    const Description description = product_description(strided(block_rows, k, type, k, 1), any,
                                                        strided(block_rows, n, dnnl_f32, n, 1), false);
    layout_ = *dnnl_primitive_desc_query_md(description.get(), dnnl_query_weights_md, 0);
    bytes_.resize(dnnl_memory_desc_get_size(&layout_));
    memory_ = memory_at(layout_, bytes_.data());
    rows_ = k;
    cols_ = n;
    reorder_ = Primitive();
}

template <class T>
void Packed<T>::make_reorder(bool transpose, std::size_t stride) {
    reorder_ = Primitive();
    const dnnl_memory_desc_t plain =
        strided(rows_, cols_, dnnl_f32, transpose ? 1 : stride, transpose ? stride : 1);
    source_ = memory_at(plain, DNNL_MEMORY_NONE);
    const CodeMemoryProbe probe;
    Description description;
    check(
        dnnl_reorder_primitive_desc_create(description.out(), &plain, engine(), &layout_, engine(), nullptr));
    check(dnnl_primitive_create(reorder_.out(), description.get()));
    source_transposed_ = transpose;
    source_stride_ = stride;
}

template <class T>
void Packed<T>::pack(bool transpose, ConstMatrixView<float> b) {
    const std::size_t k = transpose ? b.cols : b.rows;
    const std::size_t n = transpose ? b.rows : b.cols;
    if (memory_.get() == nullptr || rows_ != k || cols_ != n) choose_layout(k, n);
    if (reorder_.get() == nullptr || source_transposed_ != transpose || source_stride_ != b.stride)
        make_reorder(transpose, b.stride);
    check(dnnl_memory_set_data_handle(source_.get(), const_cast<float*>(b.data)));
    const std::array<dnnl_exec_arg_t, 2> arguments{
        {{DNNL_ARG_FROM, source_.get()}, {DNNL_ARG_TO, memory_.get()}}};
    check(dnnl_primitive_execute(reorder_.get(), stream(), 2, arguments.data()));
}

template <class T>
void multiply(ConstMatrixView<T> a, const Packed<T>& b, bool accumulate, MatrixView<float> c) {
    const dnnl_data_type_t type = type_of(a.data);
    const Key key{c.rows, c.cols, a.cols, a.stride, 0, c.stride, type, accumulate};
    Product& product = product_for(key, [&](Product& p) {
        make_product(p, key, strided(a.rows, a.cols, type, a.stride, 1), b.layout(),
                     strided(c.rows, c.cols, dnnl_f32, c.stride, 1));
    });
    execute(product, a.data, b.memory(), c.data);
}

template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<float> c) {
    const dnnl_data_type_t type = type_of(a.data);
    const Key key{c.rows, c.cols, a.rows, a.stride, b.stride, c.stride, type, true};
    Product& product = product_for(key, [&](Product& p) {
        make_product(p, key, strided(a.cols, a.rows, type, 1, a.stride),
                     strided(b.rows, b.cols, type, b.stride, 1),
                     strided(c.rows, c.cols, dnnl_f32, c.stride, 1));
    });
    check(dnnl_memory_set_data_handle(product.b.get(), const_cast<void*>(static_cast<const void*>(b.data))));
    execute(product, a.data, product.b.get(), c.data);
}

template class Packed<float>;
template class Packed<bfloat16>;
template void multiply(ConstMatrixView<float>, const Packed<float>&, bool, MatrixView<float>);
template void multiply(ConstMatrixView<bfloat16>, const Packed<bfloat16>&, bool, MatrixView<float>);
template void add_transposed_product(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>);
template void add_transposed_product(ConstMatrixView<bfloat16>, ConstMatrixView<bfloat16>, MatrixView<float>);

}  // namespace popflow::linalg::onednn
