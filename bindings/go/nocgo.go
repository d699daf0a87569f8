// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package raffle

// Without cgo there is nothing to call. This line is here to say so: the compiler prints it.
const _ = this_package_calls_libraffle_in_C__set_CGO_ENABLED_to_1_and_have_a_C_compiler_and_pkg_config
