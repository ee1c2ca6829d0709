// SPDX-License-Identifier: MIT
#pragma once

#include "core/simd.hpp"
