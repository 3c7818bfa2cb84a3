#include <catch2/catch.hpp>

#include "testing/frameworks/cases.hpp"
