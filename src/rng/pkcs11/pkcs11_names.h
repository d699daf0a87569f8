/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11's own names for what its functions return. */
#ifndef RF_RNG_PKCS11_NAMES_H
#define RF_RNG_PKCS11_NAMES_H

#include <p11-kit/pkcs11.h>

enum {
    RF_P11_RV_SIZE = 48 /* "CKR_WRAPPING_KEY_TYPE_INCONSISTENT" */
};

/* "CKR_DEVICE_ERROR"; for what has no name "CKR_VENDOR_DEFINED+0x1234" or "CKR 0x1234". Returns `out`. */
const char *rf_p11_rv_name(CK_RV rv, char out[RF_P11_RV_SIZE]);

#endif
