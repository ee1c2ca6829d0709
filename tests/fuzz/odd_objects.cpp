// SPDX-License-Identifier: MIT
#include "fuzz/odd_objects.hpp"

#include <vector>

namespace popflow::fuzz {

namespace {

// Returns a new common or unusual type and sets `description` to its name. The caller must close the type.
hid_t odd_type(Draws& draws, std::string& description) {
    const auto named = [&](const char* name, hid_t type) {
        description = name;
        return type;
    };
    const hsize_t two = 2;
    switch (draws.below(13)) {
        case 0:
            return named("int8", H5Tcopy(H5T_STD_I8LE));
        case 1:
            return named("big-endian uint64", H5Tcopy(H5T_STD_U64BE));
        case 2:
            return named("float64", H5Tcopy(H5T_IEEE_F64LE));
        case 3: {
            const hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, 1 + draws.below(9));
            return named("fixed strings", type);
        }
        case 4: {
            const hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, H5T_VARIABLE);
            return named("ASCII strings", type);
        }
        case 5: {
            const hid_t type = H5Tcreate(H5T_COMPOUND, 12);
            H5Tinsert(type, "index", 0, H5T_STD_I64LE);
            H5Tinsert(type, "treatment", 8, H5T_STD_I32LE);
            return named("compound", type);
        }
        case 6: {
            const hid_t type = H5Tenum_create(H5T_STD_I8LE);
            const std::int8_t value = 5;
            H5Tenum_insert(type, "FALSE", &value);
            return named("enumeration", type);
        }
        case 7:
            return named("opaque", H5Tcreate(H5T_OPAQUE, 7));
        case 8:
            return named("bitfield", H5Tcopy(H5T_STD_B16LE));
        case 9:
            return named("arrays", H5Tarray_create2(H5T_IEEE_F32LE, 1, &two));
        case 10:
            return named("sequences", H5Tvlen_create(H5T_STD_I32LE));
        case 11:
            return named("object references", H5Tcopy(H5T_STD_REF_OBJ));
        default:
            return named("region references", H5Tcopy(H5T_STD_REF_DSETREG));
    }
}

// Returns a new dataspace and sets `description` to its description. The caller must close the dataspace.
hid_t odd_space(hsize_t rows, Draws& draws, std::string& description) {
    const auto simple = [&](const char* name, std::vector<hsize_t> dims) {
        description = name;
        return H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    };
    switch (draws.below(7)) {
        case 0:
            description = "a scalar of ";
            return H5Screate(H5S_SCALAR);
        case 1:
            description = "no ";
            return H5Screate(H5S_NULL);
        case 2:
            return simple("0 ", {0});
        case 3:
            return simple("1 more of ", {rows + 1});
        case 4:
            return simple("3 dimensions of ", {rows, 2, 2});
        case 5:
            return simple("0 columns of ", {rows, 0});
        default:
            return simple("as many ", {rows});
    }
}

void close_handles(hid_t dataset, hid_t space, hid_t type, hid_t properties) {
    if (dataset >= 0) H5Dclose(dataset);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(properties);
}

// Creates a dataset of an unusual type or shape.
std::string make_odd_dataset(hid_t file, const std::string& name, hsize_t rows, Draws& draws) {
    std::string type_name;
    std::string space_text;
    const hid_t type = odd_type(draws, type_name);
    const hid_t space = odd_space(rows, draws, space_text);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (draws.below(2) == 0) H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
    close_handles(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), space,
                  type, properties);
    return space_text + type_name;
}

// Creates a dataset with a huge extent or huge chunks.
std::string make_huge_dataset(hid_t file, const std::string& name, hsize_t rows, Draws& draws) {
    const hsize_t huge = 1000000000000000;
    const std::vector<std::vector<hsize_t>> shapes{
        {huge}, {rows, huge}, {huge, 5}, {std::uint64_t{1} << 33, std::uint64_t{1} << 29}, {rows}, {rows, 5}};
    const std::vector<hsize_t> dims = draws.choose(shapes);
    const auto rank = static_cast<int>(dims.size());
    const std::vector<hsize_t> unlimited(dims.size(), H5S_UNLIMITED);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (draws.below(3) > 0 || dims[0] == rows) {
        std::vector<hsize_t> chunk(dims.size(), 1);
        chunk[0] = draws.below(2) == 0 ? 100000000 : 500000000;
        H5Pset_chunk(properties, rank, chunk.data());
        if (draws.below(2) == 0) H5Pset_deflate(properties, 1);
    }
    const bool chunked = H5Pget_layout(properties) == H5D_CHUNKED;
    const hid_t space = H5Screate_simple(rank, dims.data(), chunked ? unlimited.data() : nullptr);
    const hid_t type = H5Tcopy(draws.below(2) == 0 ? H5T_STD_I8LE : H5T_IEEE_F64LE);
    close_handles(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), space,
                  type, properties);
    return "an absurd size";
}

// Creates a dataset whose chunk does not match its filters.
std::string make_bad_chunk(hid_t file, const std::string& name, hsize_t rows, Draws& draws) {
    const bool has_columns = draws.below(2) == 0;
    const hsize_t dims[2] = {rows, 5};
    const int rank = has_columns ? 2 : 1;
    const hid_t space = H5Screate_simple(rank, dims, nullptr);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, rank, dims);
    const std::size_t filter = draws.below(4);
    if (filter == 1) H5Pset_shuffle(properties);
    if (filter == 2) H5Pset_fletcher32(properties);
    if (filter == 3) H5Pset_scaleoffset(properties, H5Z_SO_INT, 0);
    if (filter < 3) H5Pset_deflate(properties, 4);
    const hid_t type = H5Tcopy(draws.below(2) == 0 && filter != 3 ? H5T_IEEE_F32LE : H5T_STD_I32LE);
    const hid_t dataset = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    const hsize_t origin[2] = {0, 0};
    // A zlib stream of no bytes, a zlib stream of one byte, and noise.
    const std::vector<std::vector<std::uint8_t>> contents{
        {0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01},
        {0x78, 0x9c, 0x4b, 0x04, 0x00, 0x00, 0x62, 0x00, 0x62},
        {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0xff, 0xff, 0xff, 0xff}};
    const std::vector<std::uint8_t>& content = draws.choose(contents);
    const auto mask = static_cast<std::uint32_t>(draws.below(4) == 0 ? 0xffffffff : 0);
    if (dataset >= 0) H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, origin, content.size(), content.data());
    close_handles(dataset, space, type, properties);
    return "a chunk that is not what its filters make";
}

// Creates a dataset whose values are in another file.
std::string make_external(hid_t file, const std::string& name, hsize_t rows, const std::string& victim,
                          Draws& draws) {
    const hid_t space = H5Screate_simple(1, &rows, nullptr);
    const hid_t type = H5Tcopy(H5T_STD_I8LE);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    std::string description = "values in another file";
    if (draws.below(2) == 0) {
        H5Pset_external(properties, draws.below(2) == 0 ? victim.c_str() : "/etc/passwd", 0, H5F_UNLIMITED);
    } else {
        H5Pset_virtual(properties, space, draws.below(2) == 0 ? victim.c_str() : ".", name.c_str(), space);
        description = "a virtual dataset";
    }
    close_handles(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), space,
                  type, properties);
    return description;
}

// Creates groups nested up to 500 levels deep.
std::string make_deep_groups(hid_t file, const std::string& name, Draws& draws) {
    const std::size_t depth = 50 + draws.below(450);
    hid_t group = H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (std::size_t k = 0; k < depth && group >= 0; ++k) {
        const hid_t below = H5Gcreate2(group, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Gclose(group);
        group = below;
    }
    if (group >= 0) H5Gclose(group);
    return std::to_string(depth) + " groups within each other";
}

// Creates a dataset of strings of 400,000 characters. All strings are equal.
std::string make_long_strings(hid_t file, const std::string& name, hsize_t rows) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t space = H5Screate_simple(1, &rows, nullptr);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t dataset = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    const std::string text(400000, 'x');
    std::vector<const char*> values(rows, text.c_str());
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    close_handles(dataset, space, type, properties);
    return "long strings";
}

}  // namespace

std::string make_odd_object(hid_t file, const std::string& name, hsize_t rows, const std::string& victim,
                            Draws& draws) {
    switch (draws.below(12)) {
        case 0:
        case 1:
            return make_huge_dataset(file, name, rows, draws);
        case 2:
        case 3:
            return make_bad_chunk(file, name, rows, draws);
        case 4:
        case 5:
            return make_external(file, name, rows, victim, draws);
        case 6:
            return make_deep_groups(file, name, draws);
        case 7:
            return make_long_strings(file, name, std::min<hsize_t>(rows, 3));
        default:
            return make_odd_dataset(file, name, rows, draws);
    }
}

std::string make_odd_attribute(hid_t object, const std::string& name, Draws& draws) {
    std::string type_name;
    std::string space_text;
    const hid_t type = odd_type(draws, type_name);
    const hid_t space = odd_space(draws.below(3) == 0 ? 4000 : 2, draws, space_text);
    const hid_t attribute = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return "made " + space_text + type_name;
}

}  // namespace popflow::fuzz
