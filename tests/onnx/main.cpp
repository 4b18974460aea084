// The test program of the room onnx/.
#define BOOST_TEST_MODULE onnx
#include <boost/test/unit_test.hpp>
