// SPDX-License-Identifier: MIT
#include <hdf5.h>

#include <limits>
#include <stdexcept>

#include "fuzz/mutations.hpp"
#include "fuzz/odd_objects.hpp"

namespace popflow::fuzz {

namespace {

// Names of the objects of a file.
struct Objects {
    std::vector<std::string> all;
    std::vector<std::string> datasets;
    std::vector<std::string> groups{"/"};
};

extern "C" herr_t add_object(hid_t, const char* name, const H5O_info_t* info, void* objects) {
    if (std::string(name) == ".") return 0;
    auto& found = *static_cast<Objects*>(objects);
    found.all.emplace_back(name);
    (info->type == H5O_TYPE_GROUP ? found.groups : found.datasets).emplace_back(name);
    return 0;
}

extern "C" herr_t add_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

std::string replace_link(hid_t file, const Objects& found, const std::string& victim, Draws& draws) {
    const std::string& name = draws.choose(found.all);
    H5Ldelete(file, name.c_str(), H5P_DEFAULT);
    const std::string parent = name.find('/') == std::string::npos ? "/" : name.substr(0, name.rfind('/'));
    switch (draws.below(9)) {
        case 0:
            return name + " deleted";
        case 1:
            H5Lcreate_soft(("/" + name).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a soft link to itself";
        case 2:
            H5Lcreate_soft(("/" + name + "/" + name).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a soft link below itself";
        case 3:
            H5Lcreate_hard(file, parent.c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a hard link to its parent";
        case 4:
            H5Lcreate_hard(file, "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a hard link to the root";
        case 5:
            H5Lcreate_external(victim.c_str(), name.c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a link into another file";
        case 6:
            H5Lcreate_external("/dev/zero", "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
            return name + " a link into a device";
        case 7:
            H5Lcreate_hard(file, draws.choose(found.groups).c_str(), file, name.c_str(), H5P_DEFAULT,
                           H5P_DEFAULT);
            return name + " a hard link to a group";
        default:
            H5Lcreate_soft(("/" + draws.choose(found.datasets)).c_str(), file, name.c_str(), H5P_DEFAULT,
                           H5P_DEFAULT);
            return name + " a soft link to a dataset";
    }
}

std::string replace_object(hid_t file, const Objects& found, const std::string& victim, Draws& draws) {
    // Replacing a group hides all objects in it. Therefore datasets are replaced more often.
    const std::string& name = draws.below(4) == 0 ? draws.choose(found.all) : draws.choose(found.datasets);
    hsize_t rows = 3;
    if (const hid_t old = H5Dopen2(file, name.c_str(), H5P_DEFAULT); old >= 0) {
        const hid_t space = H5Dget_space(old);
        hsize_t dims[H5S_MAX_RANK] = {3};
        H5Sget_simple_extent_dims(space, dims, nullptr);
        rows = dims[0];
        H5Sclose(space);
        H5Dclose(old);
    }
    H5Ldelete(file, name.c_str(), H5P_DEFAULT);
    return name + " replaced by " + make_odd_object(file, name, rows, victim, draws);
}

std::string replace_attribute(hid_t file, const Objects& found, Draws& draws) {
    const std::string& name = draws.choose(draws.below(3) == 0 ? found.all : found.groups);
    const hid_t object = H5Oopen(file, name.c_str(), H5P_DEFAULT);
    std::vector<std::string> names;
    hsize_t at = 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &at, add_attribute, &names);
    const std::string attribute = names.empty() ? "encoding-type" : draws.choose(names);
    if (!names.empty()) H5Adelete(object, attribute.c_str());
    const std::string change = make_odd_attribute(object, attribute, draws);
    H5Oclose(object);
    return "attribute " + attribute + " of " + name + " " + change;
}

std::string corrupt_values(hid_t file, const Objects& found, Draws& draws) {
    const std::string& name = draws.choose(found.datasets);
    const hid_t dataset = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
    const hid_t type = H5Dget_type(dataset);
    const hid_t space = H5Dget_space(dataset);
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    const H5T_class_t kind = H5Tget_class(type);
    if (count > 0 && kind == H5T_INTEGER) {
        std::vector<std::int64_t> values(count);
        H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        const std::vector<std::int64_t> odd{-1, INT64_MIN, INT64_MAX, 1000000, 127, 48};
        for (std::size_t k = 0; k <= draws.below(4); ++k) values[draws.below(count)] = draws.choose(odd);
        H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    } else if (count > 0 && kind == H5T_FLOAT) {
        std::vector<double> values(count);
        H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        const std::vector<double> odd{-1, 1e308, -1e308, 1e-320};
        for (std::size_t k = 0; k <= draws.below(4); ++k)
            values[draws.below(count)] =
                draws.below(3) == 0 ? std::numeric_limits<double>::quiet_NaN() : draws.choose(odd);
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    } else if (count > 0 && kind == H5T_STRING && H5Tis_variable_str(type) > 0) {
        const std::vector<const char*> odd{"",         "\xff\xfe\x80", "a\nb", "\x1b[2J\x1b]0;x\x07",
                                           "\xc0\x80", "<script>",     "nan",  "1e999"};
        std::vector<const char*> values;
        for (std::size_t k = 0; k < count; ++k) values.push_back(draws.choose(odd));
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    return "values of " + name + " spoilt";
}

std::string rename_object(hid_t file, const Objects& found, Draws& draws) {
    const std::string& name = draws.choose(found.all);
    const std::vector<std::string> odd{"\x1b[31mred", "a\nb", "\xff\xfe", "..", " ", "%s%n", "__categories"};
    const std::string parent = name.find('/') == std::string::npos ? "" : name.substr(0, name.rfind('/') + 1);
    const std::string to = parent + draws.choose(odd);
    H5Lmove(file, name.c_str(), file, to.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    return name + " has another name";
}

}  // namespace

std::string mutate_structure(const std::string& path, const std::string& victim, Draws& draws) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0) throw std::runtime_error("cannot open " + path);
    Objects found;
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, add_object, &found, H5O_INFO_BASIC);
    std::string change;
    const std::size_t count = draws.below(4) == 0 ? 2 : 1;
    switch (draws.below(10)) {
        case 0:
        case 1:
            change = replace_link(file, found, victim, draws);
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            change = replace_object(file, found, victim, draws);
            break;
        case 6:
        case 7:
            change = replace_attribute(file, found, draws);
            break;
        case 8:
            for (std::size_t k = 0; k < count; ++k) change = corrupt_values(file, found, draws);
            break;
        default:
            change = rename_object(file, found, draws);
            break;
    }
    H5Fclose(file);
    return change;
}

}  // namespace popflow::fuzz
