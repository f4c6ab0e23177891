"""The numbers that the report prints, and nothing else."""

# Section 2: `epoch Train MSE: value`, the MSE of one batch in squared grey levels (0..255), every tenth epoch.
SECTION2_TRAIN_MSE = {0: 2804.4246, 10: 1579.918, 20: 1367.6409, 30: 1196.495, 40: 1134.7667,
                      50: 1229.7611, 60: 1338.7965, 70: 1199.9559, 80: 1252.8225, 90: 1194.6837}
