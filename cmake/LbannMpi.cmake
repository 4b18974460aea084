# Which MPI implementations are here: LBANN_MPIS (openmpi, mpich) and, for each, an imported target
# lbann_mpi_library_<name>. None is an answer, too: the modules are left out and more than one rank is refused
# at run time, with the reason. The compiler wrappers are asked rather than FindMPI, which knows one MPI only.
option(LBANN_MPI "Build a module for every MPI that is found" ON)
set(LBANN_MPIS)

# Takes -I, -L, -l and -Wl words out of what a wrapper says it would call.
function(lbann_ask_mpi name show)
  foreach(candidate ${ARGN})
    find_program(LBANN_MPI_WRAPPER_${name}_${candidate} ${candidate})
    mark_as_advanced(LBANN_MPI_WRAPPER_${name}_${candidate})
    set(wrapper ${LBANN_MPI_WRAPPER_${name}_${candidate}})
    if(NOT wrapper)
      continue()
    endif()
    execute_process(COMMAND ${wrapper} ${show} OUTPUT_VARIABLE words ERROR_QUIET RESULT_VARIABLE failed
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    # Open MPI's wrapper knows -showme and MPICH's -show; each refuses or ignores the other's word.
    if(failed OR NOT words MATCHES "-lmpi")
      continue()
    endif()
    separate_arguments(words UNIX_COMMAND "${words}")
    set(includes)
    set(links)
    foreach(word ${words})
      if(word MATCHES "^-I(.*)$")
        list(APPEND includes ${CMAKE_MATCH_1})
      elseif(word MATCHES "^-(L|l|Wl,)" AND NOT word MATCHES "^-lmpi_?cxx|^-lmpichcxx|-flto|--as-needed")
        list(APPEND links ${word})
      endif()
    endforeach()
    add_library(lbann_mpi_library_${name} INTERFACE IMPORTED GLOBAL)
    set_target_properties(lbann_mpi_library_${name} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${includes}"
                                                               INTERFACE_INCLUDE_DIRECTORIES "${includes}"
                                                               INTERFACE_LINK_LIBRARIES "${links}")
    message(STATUS "MPI module: ${name} (${wrapper})")
    set(LBANN_MPIS ${LBANN_MPIS} ${name} PARENT_SCOPE)
    return()
  endforeach()
  message(STATUS "MPI module: no ${name}")
endfunction()

if(LBANN_MPI AND NOT LBANN_SANITIZE AND NOT LBANN_FUZZ)
  lbann_ask_mpi(openmpi -showme mpicc.openmpi mpicc)
  lbann_ask_mpi(mpich -show mpicc.mpich)
endif()
