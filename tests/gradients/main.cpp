// Test program: gradient rules of the primitives against central differences.
#define BOOST_TEST_MODULE gradients
#include <boost/test/unit_test.hpp>
