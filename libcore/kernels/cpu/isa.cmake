# One set of loops, compiled once per instruction set; isa.cpp chooses at run time. Only these files
# may use more than the baseline: whatever they emit must have internal linkage (loops_*.hpp).
# -fno-trapping-math lets the compiler turn branches into selects; it changes no value.
set(isa_flags -O3 -fno-trapping-math)
set_source_files_properties(${kernels_cpu_dir}/isa_generic.cpp PROPERTIES COMPILE_OPTIONS "${isa_flags}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND isa_flags -Wno-maybe-uninitialized)  # false alarms about _mm512_undefined_ps
endif()
set(avx2_flags)
set(avx512_flags)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(avx2_flags -mavx2 -mfma)
  set(avx512_flags -mavx2 -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
endif()
set_source_files_properties(${kernels_cpu_dir}/isa_avx2.cpp PROPERTIES COMPILE_OPTIONS "${isa_flags};${avx2_flags}")
set_source_files_properties(${kernels_cpu_dir}/isa_avx512.cpp PROPERTIES COMPILE_OPTIONS "${isa_flags};${avx512_flags}")
