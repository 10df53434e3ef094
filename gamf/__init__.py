"""Attribution of patients waiting on the GAMF to family physicians, under Lettre d'entente 321."""
