# Flags of our own code; generated code and system headers are not warned about.
# -ffp-contract=off: a fused kernel gives the same bits as the unfused ones; where an fma is meant it is written.
# -fno-math-errno: sqrt vectorises.
add_library(lbann_flags INTERFACE)
target_compile_options(lbann_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -ffp-contract=off
                       -fno-math-errno)
# g++ 12 sees overlapping copies in `"text" + std::string()` that are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(lbann_flags INTERFACE -Wno-restrict)
endif()
if(LBANN_WERROR)
  target_compile_options(lbann_flags INTERFACE -Werror)
endif()
if(LBANN_SANITIZE)
  # g++ 12 warns of its own <regex> and <functional> once checks are woven in.
  target_compile_options(lbann_flags INTERFACE -fsanitize=${LBANN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(lbann_flags INTERFACE -fsanitize=${LBANN_SANITIZE})
endif()
