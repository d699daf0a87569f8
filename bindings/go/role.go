// SPDX-License-Identifier: Apache-2.0

package raffle

// Who may do what: the table that the rules froze.

/*
#include <raffle/raffle.h>
*/
import "C"

import "iter"

// Whether an operation takes a second approver: Operation.Second.
const (
	SecondNever     int32 = C.RAFFLE_SECOND_NEVER
	SecondSometimes int32 = C.RAFFLE_SECOND_SOMETIMES // as an exception: When says which
	SecondAlways    int32 = C.RAFFLE_SECOND_ALWAYS
)

// Operation is an operation, and who may.
//
// C: raffle_operation_init
type Operation struct {
	Roles  uint32 // bit r: the role r may do it
	Second int32  // Second…
	Name   string // as in the rules: "void"
	What   string // half a sentence
	When   string // it takes a second approver; "" for never and always
}

// May says whether a role may do it.
func (o Operation) May(role Role) bool { return role > 0 && role < 32 && o.Roles&(1<<role) != 0 }

// OperationAt is the operation at i, from 0 on, in the order of their names. [ErrNotFound] beyond the last.
//
// C: raffle_operation_at
func (r *Raffle) OperationAt(i uint32) (Operation, error) {
	var a args
	var operation Operation
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		var c C.raffle_operation
		C.raffle_operation_init(&c, C.sizeof_raffle_operation)
		rc := C.raffle_operation_at(p, C.uint32_t(i), &c, e)
		if rc == C.RAFFLE_OK {
			operation = Operation{uint32(c.roles), int32(c.second), C.GoString(c.name), C.GoString(c.what), C.GoString(c.when)}
		}
		return rc
	})
	return operation, err
}

// Operations walks over the operations, in the order of their names.
func (r *Raffle) Operations() iter.Seq2[Operation, error] { return walk(r.OperationAt) }
